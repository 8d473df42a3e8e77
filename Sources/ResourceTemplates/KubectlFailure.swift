import KubernetesAPI
import SystemSupport

/// kubectl ended with an error: what it said, without the lines that are warnings and its library's log.
struct KubectlFailure: ClassifiedError, Equatable {
    let message: String
    /// Told by the text alone, which is all that there is (contract 02 §7).
    let isTransient: Bool
    /// Nobody answered where the server should be: nothing has been asked of it yet.
    let isUnreachable: Bool
    var isNotFound: Bool { false }

    /// - Parameters:
    ///   - output: all that it wrote on its standard error.
    ///   - status: what is told where it wrote nothing.
    init(standardError output: [UInt8], status: String, isTransientText: (String) -> Bool) {
        let text = Self.cause(String(decoding: output, as: UTF8.self))
        let message = text.isEmpty ? status : text
        self.message = message
        isUnreachable = Self.unreachable.contains { message.contains($0) }
        isTransient = TransientTexts.match(message) || isTransientText(message)
    }

    private static let unreachable = [
        " was refused - did you specify the right host or port?", "connect: connection refused", "connect: no route to host",
        "connect: network is unreachable",
    ]

    private static func cause(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.filter { !$0.hasPrefix("Warning: ") && !isLog($0) }.joined(separator: "\n").trimmed
    }

    /// A line of Kubernetes' logging library: a letter for the level, month and day, a blank.
    private static func isLog(_ line: Substring) -> Bool {
        let start = Array(line.utf8.prefix(6))
        return start.count == 6 && "IWEF".utf8.contains(start[0]) && start[1...4].allSatisfy { (0x30...0x39).contains($0) }
            && start[5] == 0x20
    }
}
