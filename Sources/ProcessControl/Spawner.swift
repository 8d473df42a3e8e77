import CLinuxShims
import Glibc
package import SystemSupport

/// A program to start. The child gets the signal mask and ignored signals that we were started with, and of our descriptors
/// only those given to it.
package struct Spawner: Sendable {
    /// Where the child stands among processes.
    package enum Placement: Sendable, Equatable {
        /// Leader of a process group of its own.
        case newGroup
        /// In this process group, which must be of our session.
        case group(Int32)
        /// Leader of a session of its own, whose terminal is the child's standard input.
        case newTerminalSession
    }

    /// The program's file; PATH is not searched.
    package var program: BytePath
    /// All words, the program's own name first.
    package var arguments: [BytePath]
    package var environment: ProcessEnvironment
    /// The working directory; nil for ours.
    package var directory: BytePath?
    package var placement = Placement.newGroup
    /// What becomes the child's descriptors 0, 1 and 2; nil for ours. They stay the caller's.
    package var standardInput: Int32?
    package var standardOutput: Int32?
    package var standardError: Int32?
    /// Descriptors from 3 on that the child gets under the same numbers. They stay the caller's.
    package var inheritedDescriptors: [Int32] = []
    /// Whether the child blocks and ignores no signals, whatever we were started with.
    package var resetsSignals = false
    /// Whether the child gets none of the others, not even those that we were ourselves started with.
    package var closesOtherDescriptors = false
    /// Sent to the child when the thread that started it ends; nil for none.
    package var deathSignal: Int32?
    /// The child's umask; nil for ours.
    package var umask: UInt32?

    package init(program: BytePath, arguments: [BytePath], environment: ProcessEnvironment) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts the program and returns once it runs.
    ///
    /// - Throws: what the first failing step said, `execve` included; operation `fork/exec`, subject the program.
    package func start() throws(SystemError) -> ChildProcess {
        var child: pid_t = 0
        let status = unsafe CStringList.withPointers(arguments) { arguments in
            unsafe CStringList.withPointers(environment.words) { environment in
                unsafe program.withCString { program in
                    unsafe withOptionalCString(directory) { directory in
                        unsafe inheritedDescriptors.withUnsafeBufferPointer { inherited in
                            var request = unsafe linux_spawn_request(
                                path: program, arguments: arguments, environment: environment, directory: directory,
                                standard_input: standardInput ?? -1, standard_output: standardOutput ?? -1,
                                standard_error: standardError ?? -1, new_group: placement == .newGroup ? 1 : 0,
                                group: joinedGroup,
                                new_session: placement == .newTerminalSession ? 1 : 0,
                                controlling_terminal: placement == .newTerminalSession ? 1 : 0,
                                death_signal: deathSignal ?? 0, inherited: inherited.baseAddress,
                                inherited_count: Int32(inherited.count), default_signals: resetsSignals ? 1 : 0,
                                closes_others: closesOtherDescriptors ? 1 : 0,
                                umask: umask.map { Int32($0) } ?? -1)
                            return unsafe linux_spawn(&request, &child)
                        }
                    }
                }
            }
        }
        if status != 0 { throw SystemError("fork/exec", program.text, status) }
        return ChildProcess(id: child, leadsGroup: placement == .newGroup || placement == .newTerminalSession)
    }

    private var joinedGroup: pid_t { if case .group(let group) = placement { group } else { 0 } }

    private func withOptionalCString<R>(_ path: BytePath?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
        guard let path else { return body(nil) }
        return unsafe path.withCString { unsafe body($0) }
    }
}

/// Byte strings as C wants them: an array of pointers, ended by NULL.
private enum CStringList {
    static func withPointers<R>(
        _ strings: [BytePath], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var characters: [CChar] = []
        characters.reserveCapacity(strings.reduce(0) { $0 + $1.bytes.count + 1 })
        var offsets: [Int] = []
        for string in strings {
            offsets.append(characters.count)
            for byte in string.bytes { characters.append(CChar(bitPattern: byte)) }
            characters.append(0)
        }
        characters.append(0)
        return unsafe characters.withUnsafeMutableBufferPointer { characters in
            let start = characters.baseAddress!
            var pointers: [UnsafeMutablePointer<CChar>?] = unsafe offsets.map { unsafe start + $0 }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
        }
    }
}
