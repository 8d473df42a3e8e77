/// Which traces are recorded, decided at the first span of a process (`OTEL_TRACES_SAMPLER`).
package struct Sampler: Sendable, Equatable {
    private enum Rule: Sendable, Equatable {
        case always, never
        /// Of all trace IDs, those whose low half, less its last bit, is below this number.
        case below(UInt64)
    }

    private var rule: Rule
    /// Whether a parent's own decision counts first.
    private var followsParent: Bool

    /// What the parent has decided; where there is none, record.
    package static let standard = Sampler(rule: .always, followsParent: true)

    private init(rule: Rule, followsParent: Bool) {
        self.rule = rule
        self.followsParent = followsParent
    }

    /// - Parameters:
    ///   - name: as the variable has it.
    ///   - argument: the share of the traces, 0 to 1, for the samplers that take one; anything else means 1.
    /// - Returns: nil for a name that is not known.
    package init?(name: String, argument: String?) {
        let share = argument.flatMap { Double($0) }.flatMap { (0...1).contains($0) ? $0 : nil } ?? 1
        let ratio = share >= 1 ? Rule.always : .below(UInt64(share * 0x1p63))
        switch name {
        case "always_on": self.init(rule: .always, followsParent: false)
        case "always_off": self.init(rule: .never, followsParent: false)
        case "traceidratio": self.init(rule: ratio, followsParent: false)
        case "parentbased_always_on": self = .standard
        case "parentbased_always_off": self.init(rule: .never, followsParent: true)
        case "parentbased_traceidratio": self.init(rule: ratio, followsParent: true)
        default: return nil
        }
    }

    /// - Parameter parent: nil for the first span of a trace.
    package func records(_ traceID: TraceID, parent: SpanContext?) -> Bool {
        if followsParent, let parent { return parent.isSampled }
        switch rule {
        case .always: return true
        case .never: return false
        case .below(let bound): return traceID.low >> 1 < bound
        }
    }
}
