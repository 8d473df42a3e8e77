import Documents
import FileTrees
import SystemSupport

/// The arguments of the user's command where the pod's spec cannot hold them (contract 01 §4, 02 §4.4).
enum ArgumentList {
    /// The longest argument that the kernel takes is one byte shorter than this (MAX_ARG_STRLEN counts the NUL).
    private static let kernelLimit = 131_072

    /// Adds the arguments in a file to those of the command line, then puts each that is too long into a file of its own, named
    /// in its place as `@<path>`.
    ///
    /// - Parameters:
    ///   - words: the program and its arguments.
    ///   - file: holds a JSON array of strings.
    ///   - directory: where the long ones go, as `argo_arg_<index>.txt`; the program is not counted.
    static func complete(_ words: [BytePath], from file: BytePath, offloadingTo directory: BytePath) throws -> [BytePath] {
        var words = words
        do { words += try read(file) } catch { throw ExecutorError.wrapping("failed to read container args file", error) }
        for index in words.indices.dropFirst() where words[index].bytes.count >= kernelLimit {
            let name = BytePath("argo_arg_\(index - 1).txt")
            let path = directory.appending(name)
            // Others may have the same /tmp, and have put anything under that name.
            do { try SharedPlace(directory).write(name, words[index].bytes, mode: 0o644) } catch {
                throw ExecutorError.wrapping("failed to offload argument \(index - 1)", error)
            }
            words[index] = BytePath("@\(path.text)")
        }
        return words
    }

    private static func read(_ file: BytePath) throws -> [BytePath] {
        let value = try JSONValue(parsing: try SmallFile.read(file, limit: 64 << 20))
        if value.isNull { return [] }
        guard let elements = value.array else {
            throw ExecutorError.badRequest("parse \(file): expected an array, found \(value.kindName)")
        }
        return try elements.enumerated().map { index, element in
            if element.isNull { return "" }
            guard let text = element.string else {
                throw ExecutorError.badRequest("parse \(file): [\(index)]: expected a string, found \(element.kindName)")
            }
            if text.utf8.contains(0) { throw ExecutorError.badRequest("parse \(file): [\(index)]: contains a NUL") }
            return BytePath(text)
        }
    }
}
