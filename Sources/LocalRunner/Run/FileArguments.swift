import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// The files of a run as its words and flags name them: files, folders of files, `-` for standard input. Each file counts once.
struct FileArguments {
    /// Names as the user gave them, and contents.
    private(set) var all: [(name: String, content: [UInt8])] = []
    /// How many of them are there to be run; nil for all.
    private(set) var mainCount: Int?

    /// The most that one file may hold.
    static let largest = 64 << 20
    /// How the names of files in a folder end that are read.
    private static let endings = [".yaml", ".yml", ".json"]

    /// - Parameter mainCount: how many of the paths are there to be run; nil for all.
    /// - Throws: `ExecutorError` or `SystemError` for what cannot be read.
    init(_ paths: [BytePath], mainCount: Int?) throws {
        var seen: Set<BytePath> = []
        for (index, path) in paths.enumerated() {
            do {
                for file in try Self.files(at: path) where seen.insert(try Self.identity(of: file)).inserted {
                    all.append((Self.name(of: file), try Self.content(of: file)))
                }
            } catch { throw ExecutorError.wrapping("read the workflow", error) }
            if index + 1 == mainCount { self.mainCount = all.count }
        }
    }

    /// Whether a path is one file of its own, which can be read more than once.
    static func isPlainFile(_ path: BytePath) -> Bool { path != "-" && !isFolder(path) }

    private static func isFolder(_ path: BytePath) -> Bool {
        (try? FileStatus.of(path, followingLinks: true))?.kind == .directory
    }

    private static func files(at path: BytePath) throws -> [BytePath] {
        guard path != "-", isFolder(path) else { return [path] }
        let walk = try TreeWalk(try Descriptor.open(path, O_RDONLY | O_DIRECTORY), path: path)
        var files: [BytePath] = []
        while let entry = try walk.next() {
            walk.skipDescendants()
            let file = path.appending(entry.name)
            if endings.contains(where: { entry.name.text.hasSuffix($0) }), !isFolder(file) { files.append(file) }
        }
        if files.isEmpty {
            throw ExecutorError.notFound("\(path): the folder has no files that end in \(endings.joined(separator: ", "))")
        }
        return files.sorted()
    }

    private static func identity(of file: BytePath) throws -> BytePath {
        file == "-" ? file : try ProcessAttributes.realPath(of: file)
    }

    private static func name(of file: BytePath) -> String { file == "-" ? "standard input" : file.text }

    private static func content(of file: BytePath) throws -> [UInt8] {
        guard file == "-" else { return try SmallFile.read(file, limit: largest) }
        return try DescriptorIO.readAll(STDIN_FILENO, limit: largest, subject: "standard input")
    }
}
