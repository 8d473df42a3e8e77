import CLinuxShims
import Glibc
package import SystemSupport

/// A process's environment as bytes: every `NAME=value` word in its order, of any encoding.
package struct ProcessEnvironment: Sendable, Equatable {
    package private(set) var words: [BytePath]

    package init(_ words: [BytePath]) { self.words = words }

    /// What this process was started with, the variables that are hidden from our own libraries included.
    package static func original() -> ProcessEnvironment {
        var words: [BytePath] = []
        let original = unsafe argoexec_original_environment()
        var index = 0
        while let word = unsafe original[index] {
            let length = unsafe strlen(word)
            words.append(BytePath(bytes: (0..<length).map { unsafe UInt8(bitPattern: word[$0]) }))
            index += 1
        }
        return ProcessEnvironment(words)
    }

    /// The value of a variable; of several the first, as `getenv` has it.
    package subscript(name: String) -> BytePath? {
        let prefix = Array("\(name)=".utf8)
        for word in words where word.bytes.starts(with: prefix) { return BytePath(bytes: word.bytes[prefix.count...]) }
        return nil
    }

    /// Sets a variable in its place, or at the end; further ones of that name go.
    package mutating func set(_ name: String, to value: BytePath) {
        let prefix = Array("\(name)=".utf8)
        let word = BytePath(bytes: prefix + value.bytes)
        guard let first = words.firstIndex(where: { $0.bytes.starts(with: prefix) }) else {
            words.append(word)
            return
        }
        words[first] = word
        words = words.enumerated().filter { $0.offset <= first || !$0.element.bytes.starts(with: prefix) }.map(\.element)
    }
}
