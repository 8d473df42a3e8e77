import Glibc
import SystemSupport

/// Where the system's certificate authorities are looked for: Go's list (contract 01 §5.2).
struct TrustSearch {
    /// The first of these that can be read.
    private var candidates: [BytePath] = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
    ]
    /// Every file directly in these.
    private var directories: [BytePath] = ["/etc/ssl/certs", "/etc/pki/tls/certs"]
    /// Every file anywhere below these: the authorities that the controller mounts for the agent.
    private var trees: [BytePath] = ["/etc/ssl/certs/ca-certificates"]

    /// - Parameters:
    ///   - file: the value of `SSL_CERT_FILE`; empty counts as unset.
    ///   - directories: the value of `SSL_CERT_DIR`.
    ///   - root: put before every built-in path.
    init(file: String?, directories: String?, root: BytePath = "") {
        candidates = candidates.map { Self.joined(root, $0) }
        self.directories = self.directories.map { Self.joined(root, $0) }
        trees = trees.map { Self.joined(root, $0) }
        if let file, !file.isEmpty { candidates = [BytePath(file)] }
        if let directories, !directories.isEmpty {
            self.directories = directories.split(separator: ":").map { BytePath(String($0)) }
        }
    }

    private static func joined(_ root: BytePath, _ path: BytePath) -> BytePath { BytePath(bytes: root.bytes + path.bytes) }

    /// The content of each file; what cannot be read is passed over, as Go does.
    func files() -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for candidate in candidates {
            guard let content = Self.read(candidate) else { continue }
            contents.append(content)
            break
        }
        let seen = Set(candidates)
        for directory in directories {
            for path in Self.entries(directory) where !seen.contains(path) && !Self.isAlias(path) {
                if let content = Self.read(path) { contents.append(content) }
            }
        }
        for tree in trees { Self.collect(tree, depth: 0, into: &contents) }
        return contents
    }

    private static func collect(_ directory: BytePath, depth: Int, into contents: inout [[UInt8]]) {
        // A projected volume nests its files two deep, through symlinks.
        guard depth < 8 else { return }
        for path in entries(directory) where !isAlias(path) {
            if let content = read(path) { contents.append(content) } else { collect(path, depth: depth + 1, into: &contents) }
        }
    }

    private static func read(_ path: BytePath) -> [UInt8]? {
        // Without blocking: a FIFO would wait for its writer.
        guard let file = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK) else { return nil }
        return try? DescriptorIO.readAll(file.raw, limit: 16 << 20, subject: path.text)
    }

    /// A symlink to a neighbour, as the hashed names are: its content is read under the other name.
    private static func isAlias(_ path: BytePath) -> Bool {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe path.withCString { name in
            unsafe target.withUnsafeMutableBufferPointer { unsafe readlink(name, $0.baseAddress!, $0.count) }
        }
        return length > 0 && !target[..<length].contains(CChar(UInt8(ascii: "/")))
    }

    private static func entries(_ directory: BytePath) -> [BytePath] {
        guard let stream = unsafe directory.withCString({ unsafe opendir($0) }) else { return [] }
        defer { unsafe closedir(stream) }
        var paths: [BytePath] = []
        while let entry = unsafe readdir(stream) {
            let start = unsafe UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let name = unsafe start.assumingMemoryBound(to: UInt8.self)
            let bytes = unsafe Array(UnsafeBufferPointer(start: name, count: strlen(UnsafePointer(OpaquePointer(name)))))
            if bytes != [0x2E], bytes != [0x2E, 0x2E] { paths.append(directory.appending(BytePath(bytes: bytes))) }
        }
        return paths.sorted()
    }
}
