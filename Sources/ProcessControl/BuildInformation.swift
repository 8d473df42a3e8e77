import CLinuxShims

/// What this binary says about its own making.
package struct BuildInformation: Sendable {
    /// The reference's version that this one stands in for, and our own.
    package let version = "v4.1.2+swift.0.1.0"
    /// RFC 3339, or `unknown`.
    package let date: String
    package let commit: String
    /// `clean`, `dirty` or `unknown`.
    package let treeState: String
    /// Empty for none.
    package let tag: String
    #if arch(arm64)
        package let architecture = "arm64"
    #else
        package let architecture = "amd64"
    #endif
    #if compiler(>=6.3)
        package let compiler = "6.3"
    #else
        package let compiler = "6.2"
    #endif

    package static let current = BuildInformation()

    private init() {
        let text = unsafe String(cString: argoexec_build_information())
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = line[line.index(after: equals)...]
        }
        func value(_ key: Substring) -> String { values[key].map(String.init) ?? "unknown" }
        date = value("date")
        commit = value("commit")
        treeState = value("tree-state")
        tag = values["tag"].map(String.init) ?? ""
    }
}
