import Documents

/// What bubblewrap tells of its child (`--json-status-fd`): a JSON object a line.
struct SandboxStatus: Sendable {
    /// The first process of the sandbox, as this machine numbers it.
    private(set) var process: Int32?
    /// The child's exit code; absent where its program could not be started.
    private(set) var exitCode: Int32?
    private var pending: [UInt8] = []

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        pending += bytes
        while let end = pending.firstIndex(of: 0x0A) {
            if let line = try? JSONValue(parsing: Array(pending[..<end])) {
                process = line.field("child-pid")?.int.flatMap(Int32.init(exactly:)) ?? process
                exitCode = line.field("exit-code")?.int.flatMap(Int32.init(exactly:)) ?? exitCode
            }
            pending.removeSubrange(...end)
        }
    }
}
