package import Documents

/// What is told about a node, in a task result or by an executor plugin (contract 04 §4).
package struct NodeResult: Sendable, Equatable {
    package enum Phase: String, Sendable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case skipped = "Skipped"
        case failed = "Failed"
        case error = "Error"
        case omitted = "Omitted"
    }

    package var phase: Phase?
    package var message: String
    package var outputs: Outputs?
    /// `N/M`; empty for none.
    package var progress: String

    package init(phase: Phase? = nil, message: String = "", outputs: Outputs? = nil, progress: String = "") {
        self.phase = phase
        self.message = message
        self.outputs = outputs
        self.progress = progress
    }

    /// - Throws: `ModelError` where a field is of the wrong kind or the phase is none of those known.
    package init(document: JSONValue) throws(ModelError) {
        let fields = try Fields(document, "node")
        let phase = try fields.string("phase")
        self.phase = Phase(rawValue: phase)
        if self.phase == nil, !phase.isEmpty { throw .badValue("node.phase", "unknown phase '\(phase)'") }
        message = try fields.string("message")
        outputs = try fields.object("outputs") { (fields) throws(ModelError) in try Outputs(fields) }
        progress = try fields.string("progress")
    }

    /// Its fields, empty ones left out; present but empty outputs are `{}`.
    package var document: JSONObject {
        var object = JSONObject()
        if let phase { object["phase"] = .string(phase.rawValue) }
        if !message.isEmpty { object["message"] = .string(message) }
        if let outputs { object["outputs"] = outputs.document }
        if !progress.isEmpty { object["progress"] = .string(progress) }
        return object
    }
}
