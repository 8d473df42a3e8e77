import CLinuxShims
import Foundation
import TestSupport
import Testing

/// Each trap happens in a process of its own; the files that its handler leaves are read here.
@Suite struct TrapHandlerTests {
    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test(arguments: [
        (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"), (SIGSEGV, "SIGSEGV"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"),
        (SIGABRT, "SIGABRT"),
    ])
    func reportsTheSignalAndExitsWithTwo(signal: Int32, name: String) async throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.url.path
        let result = await #expect(processExitsWith: .exitCode(2), observing: [\.standardErrorContent]) {
            [folder = folder as String, signal = signal as Int32] in
            argoexec_install_trap_handler(folder + "/message", folder, "exitcode", "64")
            if signal == SIGABRT { abort() }  // test bodies run with it blocked, and only this call unblocks it
            raise(signal)
        }
        let line = "argoexec: internal error: \(name)\n"
        #expect(Self.text(folder + "/message") == line)
        #expect(Self.text(folder + "/exitcode") == "64")
        #expect(Self.text(folder + "/exitcode.new") == nil)
        let errorOutput = try #require(result?.standardErrorContent)
        #expect(String(decoding: errorOutput, as: UTF8.self).hasSuffix(line))
    }

    @Test func reportsSwiftsOwnTrap() async throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.url.path
        await #expect(processExitsWith: .exitCode(2)) { [folder = folder as String] in
            argoexec_install_trap_handler(folder + "/message", nil, nil, nil)
            let numbers = [Int](repeating: 0, count: Int(CommandLine.argc))
            exit(Int32(numbers[numbers.count]))
        }
        #expect(Self.text(folder + "/message")?.hasPrefix("argoexec: internal error: SIG") == true)
        #expect(Self.text(folder + "/exitcode") == nil)
    }

    @Test func reportsAStackThatIsUsedUp() async throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.url.path
        await #expect(processExitsWith: .exitCode(2)) { [folder = folder as String] in
            argoexec_install_trap_handler(folder + "/message", nil, nil, nil)
            func deeper(_ level: Int) -> Int { level < 0 ? 0 : deeper(level + 1) &* Int(getpid()) &+ level }
            exit(Int32(truncatingIfNeeded: deeper(1)))
        }
        #expect(Self.text(folder + "/message") == "argoexec: internal error: SIGSEGV\n")
    }

    @Test func truncatesAnOlderMessage() async throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.url.path
        await #expect(processExitsWith: .exitCode(2)) { [folder = folder as String] in
            try String(repeating: "an older message\n", count: 20)
                .write(toFile: folder + "/message", atomically: false, encoding: .utf8)
            argoexec_install_trap_handler(folder + "/message", nil, nil, nil)
            abort()
        }
        #expect(Self.text(folder + "/message") == "argoexec: internal error: SIGABRT\n")
    }

    @Test func passesOverFilesThatCannotBeWritten() async {
        await #expect(processExitsWith: .exitCode(2)) {
            argoexec_install_trap_handler("/no/such/folder/message", "/no/such/folder", "exitcode", "64")
            abort()
        }
    }

    @Test func refusesTextsThatDoNotFit() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let long = String(repeating: "a", count: 4096)
            guard argoexec_install_trap_handler(nil, nil, long, nil) == -1, errno == ENAMETOOLONG else { exit(1) }
            guard argoexec_install_trap_handler(nil, nil, nil, String(repeating: "6", count: 64)) == -1 else { exit(2) }
            exit(17)
        }
    }
}
