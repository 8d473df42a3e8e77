import Glibc
import SystemSupport

/// A container's log file, and its lines as they come, for the display.
final class OutputLog {
    private let path: BytePath
    private let file: Descriptor
    private let log: Log
    private let onLine: ([UInt8]) -> Void
    private var partial: [UInt8] = []
    private var hasFailed = false

    /// A line longer than this comes in parts.
    private static let longest = 64 << 10

    /// Opens the file for appending.
    init(_ path: BytePath, log: Log, onLine: @escaping ([UInt8]) -> Void) throws(SystemError) {
        self.path = path
        self.log = log
        self.onLine = onLine
        file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
    }

    /// For a process that writes to the file itself.
    var raw: Int32 { file.raw }

    func append(_ bytes: ArraySlice<UInt8>) {
        do { try DescriptorIO.write(file.raw, Array(bytes).span, subject: path.text) } catch {
            // The container goes on, and its lines can still be seen.
            if !hasFailed { log.warn("cannot write a container's log", ["error": .error(error)]) }
            hasFailed = true
        }
        var rest = bytes
        while let end = rest.firstIndex(of: 0x0A) {
            onLine(partial + rest[..<end])
            partial = []
            rest = rest[(end + 1)...]
        }
        partial += rest
        if partial.count >= Self.longest { finish() }
    }

    /// Hands over a last line without a newline.
    func finish() {
        if !partial.isEmpty { onLine(partial) }
        partial = []
    }
}
