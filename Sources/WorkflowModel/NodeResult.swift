package import Documents

/// What is told about a node, in a task result or by an executor plugin (contract 04 §4).
package struct NodeResult: Sendable, Equatable {
    /// A node's phase; a plugin may answer with one that is not listed here.
    package struct Phase: RawRepresentable, Sendable, Hashable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let pending = Phase(rawValue: "Pending")
        package static let running = Phase(rawValue: "Running")
        package static let succeeded = Phase(rawValue: "Succeeded")
        package static let skipped = Phase(rawValue: "Skipped")
        package static let failed = Phase(rawValue: "Failed")
        package static let error = Phase(rawValue: "Error")
        package static let omitted = Phase(rawValue: "Omitted")
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

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) {
        let fields = try Fields(document, "node")
        let phase = try fields.string("phase")
        self.phase = phase.isEmpty ? nil : Phase(rawValue: phase)
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
