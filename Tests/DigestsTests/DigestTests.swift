import RequestSigning
import SystemSupport
import Testing

@testable import Digests

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
