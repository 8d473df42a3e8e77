import FileTrees
package import SystemSupport

/// How the emissaries' spans reach the executor, which sends them with its own: a private format of ours (contract 01 §7).
///
/// The emissary needs no network for it, so the exit code never waits for a collector.
extension RunDirectory {
    /// `tracing`, empty: the executor of this pod collects spans.
    private var tracing: BytePath { root.appending("tracing") }

    /// Says that spans are collected, before the emissaries look.
    package func announceTracing() throws(SystemError) { try write(tracing, [], mode: 0o444) }

    /// Whether the executor collects spans.
    package var isTraced: Bool { exists(tracing) }
}

extension ContainerDirectory {
    /// The span of the container's emissary, one line of text.
    private var span: BytePath { path.appending("span") }

    /// Leaves the span for the executor, mode 0644; before the exit code, for which the executor waits.
    package func writeSpan(_ line: String) throws(SystemError) {
        try run.place().write(run.relative(span), Array(line.utf8), mode: 0o644)
    }

    /// The span; nil where there is none, or something that is none.
    ///
    /// - Parameter limit: bytes.
    package func readSpan(limit: Int) -> [UInt8]? { try? run.readIfPresent(span, limit: limit) }
}
