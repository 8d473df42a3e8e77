import FileTrees
import Glibc
package import SystemSupport

/// The tokens by which the agent proves to each plugin who it is: `NAME/token` in the run directory, of which a plugin sees its own
/// folder only (contract 01 §7).
package struct PluginTokens: Sendable {
    /// 27 letters and digits that make no words.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
    private static let length = 32

    private let runDirectory: BytePath

    package init(in runDirectory: BytePath) { self.runDirectory = runDirectory }

    /// Makes a token for each plugin. One that is there already is kept: the containers of a pod are restarted, and the plugin has
    /// read it (contract 05 C3).
    ///
    /// - Throws: `ExecutorError` for a name that cannot be a folder's; `SystemError`.
    package func make(for names: [String], log: Log) throws {
        let place = try SharedPlace(making: runDirectory, mode: 0o755)
        // What the umask takes away is as in the reference, whose files these are.
        let mask = UInt32(umask(0))
        defer { umask(mode_t(mask)) }
        for name in names {
            let file = try Self.file(name)
            try Self.makeDirectory(file.directory, in: place, mode: 0o770 & ~mask)
            if let kept = try place.readIfPresent(file, limit: 4096), !kept.isEmpty {
                log.info("keeping the token of a plugin", ["plugin": .text(name)])
                continue
            }
            try place.write(file, Self.random(), mode: 0o440 & ~mask)
            log.info("made a token for a plugin", ["plugin": .text(name)])
        }
    }

    /// The token of a plugin.
    ///
    /// - Throws: `ExecutorError` where there is none.
    package func token(of name: String) throws -> Secret {
        do {
            let bytes = try SharedPlace(runDirectory).read(try Self.file(name), limit: 4096)
            if bytes.isEmpty { throw ExecutorError.failed("the file is empty") }
            return Secret(bytes)
        } catch { throw ExecutorError.wrapping("read the token of plugin '\(name)'", error) }
    }

    private static func makeDirectory(_ path: BytePath, in place: SharedPlace, mode: UInt32) throws(SystemError) {
        do { try place.directory.makeDirectory(path, mode: mode) } catch { if error.code != EEXIST { throw error } }
    }

    private static func file(_ name: String) throws -> BytePath {
        guard !["", ".", ".."].contains(name), !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 }) else {
            throw ExecutorError.badRequest("find the token of plugin '\(name)': the name cannot be a folder's")
        }
        return BytePath(name).appending("token")
    }

    private static func random() -> [UInt8] {
        // The system's generator takes the kernel's random numbers.
        var generator = SystemRandomNumberGenerator()
        var token: [UInt8] = []
        while token.count < length { token.append(alphabet[Int.random(in: alphabet.indices, using: &generator)]) }
        return token
    }
}
