package import Documents
import SystemSupport

/// Several main containers in one pod, with an order among them (contract 02 §5).
package struct ContainerSet: Sendable, Equatable {
    package let members: [Member]
    package let retryStrategy: RetryStrategy?

    package struct Member: Sendable, Equatable {
        package let name: String
        /// Names of members that must have succeeded first.
        package let dependencies: [String]
        /// Its own, beside those of the whole set; they do not count for where artifacts are.
        package let volumeMounts: [VolumeMount]
    }

    /// How often each member's command is run.
    package struct RetryStrategy: Sendable, Equatable {
        /// The pause between attempts in Go's notation; empty for none.
        package let duration: String
        package let retries: IntOrString?

        /// How many times the command is run at most. `retries: N` means N runs in all, as the reference does it; what it makes
        /// of 0, negative numbers and texts (no run, and success) is a run for us (contract 05 C5).
        package var attempts: Int { max(1, retries.flatMap { $0.int }.map { Int(clamping: $0) } ?? 1) }

        /// The pause between attempts in nanoseconds.
        ///
        /// - Throws: `ModelError` where the duration is negative or no duration at all.
        package func pause() throws(ModelError) -> Int64 {
            if duration.isEmpty { return 0 }
            guard let pause = GoDuration.nanoseconds(duration), pause >= 0 else {
                throw .badValue("containerSet.retryStrategy.duration", "invalid duration '\(duration)'")
            }
            return pause
        }
    }

    init(_ fields: Fields) throws(ModelError) {
        members = try fields.list("containers") { (fields) throws(ModelError) in
            Member(
                name: try fields.string("name"), dependencies: try fields.strings("dependencies"),
                volumeMounts: try fields.list("volumeMounts") { (fields) throws(ModelError) in try VolumeMount(fields) })
        }
        retryStrategy = try fields.object("retryStrategy") { (fields) throws(ModelError) in
            var retries: IntOrString?
            if let value = fields.value("retries") {
                retries = IntOrString(value)
                if retries == nil {
                    throw .wrongKind("\(fields.path).retries", expected: "integer or string", found: value.kindName)
                }
            }
            return RetryStrategy(duration: try fields.string("duration"), retries: retries)
        }
    }

    package func member(named name: String) -> Member? { members.first { $0.name == name } }
}
