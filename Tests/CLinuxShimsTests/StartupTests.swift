import CLinuxShims
import Glibc
import Testing

/// Every test here runs in a process of its own: what is tested happens before `main`.
@Suite struct StartupTests {
    init() {
        // Inherited by the processes of the exit tests; nothing reads these two names.
        setenv("SWIFT_STARTUP_PROBE", "1", 1)
        setenv("OPENSSL_STARTUP_PROBE", "2", 1)
    }

    @Test func hidesWhatSteersUsFromTheProcess() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let hidden = getenv("SWIFT_STARTUP_PROBE") == nil && getenv("OPENSSL_STARTUP_PROBE") == nil
            exit(hidden && getenv("PATH") != nil ? 17 : 1)
        }
    }

    @Test func readsNoConfigurationOfOpenSSLs() async {
        await #expect(processExitsWith: .exitCode(17)) {
            exit(getenv("OPENSSL_CONF").map { String(cString: $0) } == "" ? 17 : 1)
        }
    }

    @Test func keepsTheOriginalEnvironmentWhole() async {
        await #expect(processExitsWith: .exitCode(17)) {
            var variables: [String] = []
            var next = argoexec_original_environment()
            while let variable = next.pointee {
                variables.append(String(cString: variable))
                next += 1
            }
            // What the kernel was given, in its order.
            var given: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            let descriptor = open("/proc/self/environ", O_RDONLY)
            while case let count = read(descriptor, &buffer, buffer.count), count > 0 { given += buffer[..<count] }
            let expected = given.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            exit(variables == expected && variables.contains("SWIFT_STARTUP_PROBE=1") ? 17 : 1)
        }
    }

    @Test func leavesTheCommandLineAlone() async {
        await #expect(processExitsWith: .exitCode(17)) {
            exit(CommandLine.arguments.first.map { !$0.isEmpty } == true && CommandLine.argc > 0 ? 17 : 1)
        }
    }
}
