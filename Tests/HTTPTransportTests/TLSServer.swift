import Foundation
import SystemSupport

/// Certificates made for one test run: an authority, a server's for 127.0.0.1 and `localhost`, one that has expired, a client's.
final class TestCertificates: Sendable {
    let directory: URL

    static let shared = Result { try TestCertificates() }

    private init() throws {
        atexit { if let made = try? TestCertificates.shared.get() { try? FileManager.default.removeItem(at: made.directory) } }
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("tls-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        // Two generations of one authority have the same name.
        for (name, subject) in [("ca", "Test"), ("other", "Other"), ("rotated", "Test")] {
            try openssl(
                ["req", "-x509"] + key + [
                    "-keyout", name + ".key", "-out", name + ".crt", "-days", "2", "-subj", "/CN=\(subject)",
                ])
        }
        try Data("subjectAltName=IP:127.0.0.1,DNS:localhost\n".utf8).write(to: directory.appendingPathComponent("names"))
        for (name, days) in [("server", "2"), ("expired", "-1"), ("client", "2")] {
            try openssl(["req"] + key + ["-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=\(name)"])
            try openssl([
                "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", "names", "-out", name + ".crt",
            ])
        }
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = directory
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw ExecutorError.failed("openssl \(arguments[0]) failed") }
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    func content(_ name: String) throws -> [UInt8] { try SmallFile.read(BytePath(path(name))) }
}

/// An HTTPS server (Python's own) that answers with the subject of the client's certificate and whether the session was resumed.
final class TLSServer: @unchecked Sendable {
    let port: Int
    private let process: Process

    private static let program = """
        import http.server, ssl, sys
        certificate, authority, minimum = sys.argv[1:4]
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                peer = self.connection.getpeercert()
                body = (str(dict(x[0] for x in peer["subject"])["commonName"]) if peer else "nobody").encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Host", self.headers["Host"])
                self.send_header("X-Resumed", str(self.connection.session_reused))
                self.send_header("X-Version", self.connection.version())
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *arguments): pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate + ".crt", certificate + ".key")
        if minimum == "1.1":
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    /// - Parameters:
    ///   - certificate: the name of a certificate of `TestCertificates`.
    ///   - requiresClient: refuses clients without a certificate.
    init(_ certificate: String = "server", requiresClient: Bool = false, version: String = "") throws {
        let certificates = try TestCertificates.shared.get()
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", Self.program, certificates.path(certificate), requiresClient ? certificates.path("ca.crt") : "",
            version,
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([0x0A]), !byte.isEmpty {
            line += String(decoding: byte, as: UTF8.self)
        }
        guard let port = Int(line) else { throw ExecutorError.failed("the TLS server did not start") }
        self.port = port
    }

    func stop() {
        // Not by SIGTERM: a child of a test inherits its thread's mask, in which that is blocked.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
