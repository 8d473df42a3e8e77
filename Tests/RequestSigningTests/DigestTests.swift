import SystemSupport
import Testing

@testable import RequestSigning

@Suite struct DigestTests {
    @Test func hashesKnownMessages() {
        #expect(hexadecimal(Digest.hash(.md5, "hello world")) == "5eb63bbbe01eeed093cb22bb8f5acdc3")
        #expect(hexadecimal(Digest.hash(.sha1, "hello world")) == "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed")
        #expect(
            hexadecimal(Digest.hash(.sha256, "hello world"))
                == "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")
        #expect(hexadecimal(Digest.hash(.sha256, [])) == SigV4.Payload.empty.text)
    }

    @Test func hashesPiecesAsOneMessageAndStartsAnew() {
        let digest = Digest(.md5)
        for piece in ["hel", "", "lo world"] { digest.update(Array(piece.utf8).span) }
        #expect(hexadecimal(digest.finish()) == "5eb63bbbe01eeed093cb22bb8f5acdc3")
        digest.update(Array("hello world".utf8).span)
        #expect(hexadecimal(digest.finish()) == "5eb63bbbe01eeed093cb22bb8f5acdc3")
    }

    @Test func computesTheKeyedHashesOfTheStandards() {
        // RFC 4231 test case 2, RFC 2202 test case 2, and an empty key.
        #expect(
            hexadecimal(MessageCode.hmac(.sha256, key: Array("Jefe".utf8), "what do ya want for nothing?"))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            hexadecimal(MessageCode.hmac(.sha1, key: Array("Jefe".utf8), "what do ya want for nothing?"))
                == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(
            hexadecimal(MessageCode.hmac(.sha256, key: [], ""))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}

@Suite struct TextEncodingTests {
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")])
    func base64GoesBothWays(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test func base64UsesTheStandardAlphabet() {
        #expect(Base64.encode([0xFB, 0xFF, 0xBF]) == "+/+/")
        #expect(Base64.decode("+/+/") == [0xFB, 0xFF, 0xBF])
    }

    @Test(arguments: ["Zg=", "Zg", "Z===", "Zm9v\n", "Zm-v", "=Zg=", "Zm9vZ"])
    func base64RefusesWhatIsNotBase64(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func percentEncodingKeepsOnlyTheUnreserved() {
        #expect(PercentEncoding.encode("aZ09-._~ +/%ä") == "aZ09-._~%20%2B%2F%25%C3%A4")
        #expect(PercentEncoding.encode("a/b c", keepingSlashes: true) == "a/b%20c")
        #expect(PercentEncoding.encode([0xE4, 0x00, 0x0A]) == "%E4%00%0A")
    }

    @Test func percentDecodingLeavesBrokenSequences() {
        #expect(PercentEncoding.decode(Array("a%20b+c%2bd%".utf8)) == Array("a b+c+d%".utf8))
        #expect(PercentEncoding.decode(Array("a+b%2Bc".utf8), plusIsSpace: true) == Array("a b+c".utf8))
        #expect(PercentEncoding.decode(Array("%zz%4".utf8)) == Array("%zz%4".utf8))
        #expect(PercentEncoding.decode(Array("%E4".utf8)) == [0xE4])
    }
}
