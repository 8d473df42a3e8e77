import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

private let victimsMarker = ProcessInfo.processInfo.environment["SANDBOX_VICTIM"]

/// Plays a pod that never ends, for `SandboxKillTests` to kill the player.
@Suite(.enabled(if: victimsMarker != nil, "is a part of another test")) struct SandboxVictim {
    @Test func playsUntilItIsKilled() throws {
        let fixture = try Fixture()
        let script = "trap '' TERM; setsid sh -c 'trap \"\" TERM; : \(victimsMarker ?? ""); sleep 600' & sleep 600"
        let container = { (name: String, user: Int) in
            Fixture.shell(name, script, user == 0 ? [:] : ["securityContext": ["runAsUser": .integer(user)]])
        }
        try fixture.play(Fixture.pod([container("main", 0), container("other", 1234)]))
    }
}

/// The end of the player itself.
@Suite(.serialized, .enabled(if: SandboxFixture.isUsable && victimsMarker == nil, "bubblewrap does not work on this machine"))
struct SandboxKillTests {
    /// Killed as early as when the first sandbox is being set up, and as late as when all run.
    @Test(arguments: [1, 2, 3, 4, 5, 6]) func leavesNoProcessBehindWhenItIsKilled(count: Int) throws {
        let marker = "argoexec-victim-\(UUID().uuidString)"
        let (program, words) = TestsProgram.words(filter: "SandboxVictim")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(words.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(["SANDBOX_VICTIM": marker]) { _, new in new }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // In each of two sandboxes bubblewrap, a shell and its child name the marker.
        while try Processes.naming(marker).count < count, process.isRunning { usleep(1000) }
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGKILL)
        let limit = Date().addingTimeInterval(20)
        while try !Processes.naming(marker).isEmpty, Date() < limit { usleep(20_000) }
        let left = try Processes.naming(marker)
        #expect(left == [])
        for id in left { kill(id, SIGKILL) }
    }
}

/// Processes of this machine.
enum Processes {
    /// Those that have a text in their command lines, but for this one.
    static func naming(_ text: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { id in
            guard id != getpid(), let line = try? SmallFile.read(BytePath("/proc/\(id)/cmdline")) else { return false }
            return String(decoding: line, as: UTF8.self).contains(text)
        }
    }
}

/// The program of the tests themselves, to be run once more.
enum TestsProgram {
    /// Its file, and the words of this run with another choice of tests.
    static func words(filter: String) -> (program: String, words: [String]) {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        var words = CommandLine.arguments
        words[0] = program
        for option in ["--filter", "--skip"] {
            while let place = words.firstIndex(of: option) { words.removeSubrange(place...min(place + 1, words.count - 1)) }
        }
        return (program, words + ["--filter", filter])
    }
}
