import Synchronization
import SystemSupport
import Testing

@testable import Digests

@Suite struct Argon2idTests {
    /// Of contract 03 §6.1.
    private let cost = Argon2id.Cost(passes: 1, memory: 65536, lanes: 4, keyLength: 32)

    private func key(_ password: String, _ salt: String, _ cost: Argon2id.Cost) throws -> String {
        hexadecimal(try Argon2id.key(password: Secret(password), salt: Array(salt.utf8), cost: cost).reveal())
    }

    // The keys were computed by OpenSSL 4.0, through the Python package cryptography 50.
    @Test func derivesTheKeysThatOthersDerive() throws {
        #expect(
            try key("correct horse battery staple\n", "my-bucketmy-workflow/my-pod/main.log", cost)
                == "27cb889767abd33443553e6a8d51e4e487e6a5f5ce3f7806bfa2f1dc53a1c98a")
        #expect(
            try key("correct horse battery staple\n", "my-bucketdaten/ä b.txt", cost)
                == "79c942428f458cbeb016c3a0a8437bc262456ba670d4fe14ef165480b75bd344")
        #expect(
            try key("", "bucket-and-key", cost) == "57897250ba949573dbd2c7eb636acb6974aca897ffbaeaf600298278a5ddda18")
        #expect(
            try key("password", "somesalt", Argon2id.Cost(passes: 2, memory: 64, lanes: 1, keyLength: 24))
                == "068d62b26455936aa6ebe60060b0a65870dbfa3ddf8d41f7")
    }

    @Test func derivesTheSameKeyOnManyThreads() throws {
        let small = Argon2id.Cost(passes: 1, memory: 256, lanes: 4, keyLength: 32)
        let expected = try key("p", "salt-salt", small)
        let same = Atomic(0)
        try Parallel.forEach(count: 16, width: 8) { _ in
            let key = try Argon2id.key(password: Secret("p"), salt: Array("salt-salt".utf8), cost: small)
            if hexadecimal(key.reveal()) == expected { same.add(1, ordering: .relaxed) }
        }
        #expect(same.load(ordering: .relaxed) == 16)
    }

    @Test func saysWhatTheLibraryRefuses() {
        let error = #expect(throws: ExecutorError.self) { try key("p", "seven..", cost) }
        #expect(error?.message == "derive key: Salt is too short")
        #expect(error?.isTransient == false)
    }
}
