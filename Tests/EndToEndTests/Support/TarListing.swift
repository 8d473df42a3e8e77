import Foundation
import TestSupport

/// An entry of an archive as GNU tar lists it: an opinion independent of our own reader.
struct TarEntry: Equatable {
    let name: String
    /// `file`, `directory` or `symlink`.
    let kind: String
    let mode: Int
    let bytes: [UInt8]
}

/// Lists a gzipped tar with Python's `tarfile`, which checks header and data checksums.
///
/// - Returns: the entries in order; names that are not UTF-8 have such bytes as `\xXX`.
func listing(ofArchive bytes: [UInt8]) throws -> [TarEntry] {
    let script = """
        import base64, json, sys, tarfile
        kinds = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink"}
        with tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz") as archive:
            for entry in archive:
                data = archive.extractfile(entry).read() if entry.isfile() else entry.linkname.encode()
                name = entry.name.encode(errors="surrogateescape").decode(errors="backslashreplace")
                print(json.dumps([name, kinds.get(entry.type, "other"), entry.mode, base64.b64encode(data).decode()]))
        """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script]
    let folder = try TemporaryFolder()
    try folder.write(Data(bytes), to: "archive")
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = try FileHandle(forReadingFrom: folder.url.appending(path: "archive"))
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let lines = output.fileHandleForReading.readDataToEndOfFile()
    let trouble = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw UnreadableArchive(description: String(decoding: trouble, as: UTF8.self)) }
    return try lines.split(separator: UInt8(ascii: "\n")).map { line in
        let parts = try JSONSerialization.jsonObject(with: line) as? [Any] ?? []
        return TarEntry(
            name: parts[0] as? String ?? "", kind: parts[1] as? String ?? "", mode: (parts[2] as? Int) ?? 0,
            bytes: [UInt8](Data(base64Encoded: parts[3] as? String ?? "") ?? Data()))
    }
}

struct UnreadableArchive: Error, CustomStringConvertible {
    let description: String
}
