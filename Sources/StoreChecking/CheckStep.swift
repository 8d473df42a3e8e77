import Documents
import SystemSupport

/// One thing that was tried, and what came of it.
package struct CheckStep: Sendable, Equatable {
    package enum Name: String, Sendable, CaseIterable {
        case configuration
        /// Looking up the host's name.
        case name
        case connection
        case tls = "TLS"
        /// Whether ours agrees with the store's.
        case clock
        case credentials
        case bucket
        case put, get, list, delete
    }

    package enum State: String, Sendable {
        case ok, failed
        /// Not tried, because of an earlier failure or because the store has no such thing.
        case skipped
    }

    package let name: Name
    package let state: State
    /// One line.
    package let answer: String
    /// What to do about a failure; empty for nothing.
    package let advice: String
    /// Nanoseconds.
    package let time: Int64
}

/// All that a check found.
package struct CheckReport: Sendable {
    /// The place of the probe, for messages.
    package let subject: String
    package let steps: [CheckStep]
    package let isInterrupted: Bool

    package var succeeded: Bool { !isInterrupted && !steps.contains { $0.state == .failed } }

    /// A line for each step, and one for what to do.
    package var text: String {
        var text = ""
        for step in steps {
            text += padded(step.state.rawValue, 8)
            if step.state == .skipped {
                text += step.answer.isEmpty ? step.name.rawValue : padded(step.name.rawValue, 25) + step.answer
            } else {
                let time = "\(step.time / 1_000_000) ms"
                text += padded(step.name.rawValue, 23 - time.count) + time
                text += step.answer.isEmpty ? "" : "  \(step.answer)"
            }
            text += "\n"
            if !step.advice.isEmpty { text += "        → \(step.advice)\n" }
        }
        return text
    }

    /// The same as one JSON object.
    package var json: String { document.serializedText() + "\n" }

    var document: JSONValue {
        let steps = steps.map { step -> JSONValue in
            var object: JSONObject = ["name": .string(step.name.rawValue), "state": .string(step.state.rawValue)]
            if !step.answer.isEmpty { object["answer"] = .string(step.answer) }
            if !step.advice.isEmpty { object["advice"] = .string(step.advice) }
            if step.state != .skipped { object["milliseconds"] = .number(JSONNumber(step.time / 1_000_000)) }
            return .object(object)
        }
        return ["location": .string(subject), "succeeded": .bool(succeeded), "steps": .array(steps)]
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
