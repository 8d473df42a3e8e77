import ExecutorCore
import HTTPTransport
import KubernetesAPI
import Testing

@Suite struct FlagSourceTests {
    @Test func namesAServer() throws {
        let access = try #require(
            try FlagSource(["server": "https://api:6443/", "token": "t", "namespace": "n", "insecure-skip-tls-verify": "true"])
                .load())
        #expect(access.server == "https://api:6443")
        #expect(access.trust == .insecure)
        #expect(access.namespace == "n")
        #expect(try access.token?.current().revealText() == "t")
    }

    @Test func leavesTheChoiceToOthersWithoutAServer() throws {
        #expect(try FlagSource(["namespace": "n", "token": ""]).load() == nil)
    }

    @Test(arguments: ["kubeconfig", "context", "as", "client-certificate"])
    func refusesWhatItDoesNotHonour(flag: String) {
        let error = #expect(throws: ExecutorError.self) { try FlagSource([flag: "x", "server": "https://api"]).load() }
        #expect(error?.message == "load the client configuration: the flag --\(flag) is not supported")
    }

    @Test func anAuthorityMustBeReadable() {
        #expect(throws: SystemError.self) {
            try FlagSource(["server": "https://api", "certificate-authority": "/no/such/file"]).load()
        }
    }
}
