package import Foundation

/// An artifact plugin on grpcio (`scripts/testbed/plugin_server.py`), with a folder of its own; it ends with this object.
package final class PluginServer: Sendable {
    /// Of the kind that the executor looks in: `NAME/socket`.
    package let sockets: URL
    private let folder: TemporaryFolder
    private let process: ToolProcess

    /// Its program, which `scripts/test` installs; nil where this machine lacks it.
    package static let python: String? = {
        let environment = Checkout.testTools.appending(path: "venv")
        let libraries = environment.appending(path: "lib")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []
        let hasIt = versions.contains {
            FileManager.default.fileExists(atPath: libraries.appending(path: "\($0)/site-packages/grpc").path)
        }
        return hasIt ? environment.appending(path: "bin/python").path : nil
    }()

    package static var program: String { Checkout.testbed("plugin_server.py").path }

    /// - Throws: `ServerUnavailable` where the machine lacks grpcio.
    package init(_ name: String = "test") async throws {
        guard let python = Self.python else {
            throw ServerUnavailable(description: "artifact plugin: grpcio is not installed; scripts/test installs it")
        }
        folder = try TemporaryFolder()
        sockets = folder.url.appending(path: "s")
        let home = sockets.appending(path: name)
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        process = try ToolProcess(
            URL(filePath: python),
            [Self.program, home.appending(path: "socket").path, folder.url.appending(path: "f").path, "--with-input"])
        for await _ in process.lines { return }
        throw ServerUnavailable(description: "artifact plugin: it did not start: \(process.diagnostics)")
    }

    /// Of the server, to stop and go on.
    package func signal(_ number: Int32) { kill(process.identifier, number) }

    package func exitStatus() async -> Int32 { await process.exitStatus() }

    /// What it was asked, one JSON object a line.
    package var calls: String {
        (try? String(contentsOf: folder.url.appending(path: "f/calls.log"), encoding: .utf8)) ?? ""
    }

    /// A file or folder of its store.
    package func stored(_ key: String) -> URL { folder.url.appending(path: "f/store/\(key)") }
}
