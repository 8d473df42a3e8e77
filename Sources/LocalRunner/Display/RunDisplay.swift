import SystemSupport
import WorkflowEngine
import WorkflowPlanning

/// What a person sees of a run, on standard error.
protocol RunDisplay: AnyObject {
    /// For what goes wrong beside the run.
    var log: Log { get }
    func begin(name: String, folder: BytePath)
    /// Shows how the run stands; called after everything that happened.
    func show(_ run: WorkflowRun)
    /// A line of a container's output.
    func line(node: Node?, container: String, isExecutor: Bool, _ bytes: [UInt8])
    /// Something to be told at once.
    func note(_ text: String)
    /// When `show` is to be called though nothing happened, by `monotonicNanoseconds`; nil for never.
    var nextRefresh: Int64? { get }
}

/// A duration for people: `0.12s`, `3.4s`, `2m5s`.
func durationText(_ nanoseconds: Int64) -> String {
    let hundredths = max(0, nanoseconds) / 10_000_000
    if hundredths < 100 { return "0.\(pad(Int(hundredths), 2))s" }
    if hundredths < 6000 { return "\(hundredths / 100).\(hundredths % 100 / 10)s" }
    let seconds = hundredths / 100
    if seconds < 3600 { return "\(seconds / 60)m\(seconds % 60)s" }
    return "\(seconds / 3600)h\(seconds % 3600 / 60)m"
}

/// The time between two points, in nanoseconds.
func nanoseconds(from start: Timestamp, to end: Timestamp) -> Int64 {
    let (seconds, overflow) = end.seconds.subtractingReportingOverflow(start.seconds)
    guard !overflow, abs(seconds) < 1 << 32 else { return 0 }
    return seconds * 1_000_000_000 + Int64(end.nanoseconds) - Int64(start.nanoseconds)
}
