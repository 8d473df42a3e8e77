package import Foundation

/// Where the tests run: the folders of this checkout, found from the place of this source file.
package enum Checkout {
    /// The checkout's root folder.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// What `scripts/test` installs for the tests: a Python environment and unpacked servers.
    package static let testTools = root.appending(path: ".build/test-tools")

    /// The folder with the program kubectl, which `scripts/test` fetches; nil where it is missing.
    package static var kubectlFolder: String? {
        let folder = testTools.appending(path: "kubectl").path
        return FileManager.default.isExecutableFile(atPath: folder + "/kubectl") ? folder : nil
    }

    /// A program of the testbed in `scripts/testbed`.
    package static func testbed(_ program: String) -> URL { root.appending(path: "scripts/testbed/\(program)") }

    /// The program under test: `ARGOEXEC_BINARY`, else the one built beside the test bundle.
    package static let executor: URL = {
        if let path = ProcessInfo.processInfo.environment["ARGOEXEC_BINARY"], !path.isEmpty {
            return URL(filePath: path, relativeTo: URL(filePath: FileManager.default.currentDirectoryPath)).absoluteURL
        }
        // The bundle is run either as a program of its own or by a helper that names it in its arguments.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(filePath: bundle).deletingLastPathComponent().appending(path: "argoexec")
    }()

    /// Whether the program under test needs no shared library, so that it runs in an empty root.
    package static let executorIsStatic: Bool = {
        guard let image = try? Data(contentsOf: executor, options: .mappedIfSafe) else { return false }
        // A dynamic program names its interpreter near its start.
        return image.prefix(4096).range(of: Data("/ld-linux".utf8)) == nil
    }()
}
