import Documents

/// What the API server would refuse about outputs, found beforehand so that the message names the culprit (contract 04 §3.5).
package enum CRDLimits {
    /// - Throws: `ModelError` about the first fault.
    package static func check(_ outputs: Outputs) throws(ModelError) {
        for parameter in outputs.parameters where !isName(parameter.name, besides: "-_") {
            throw .refused("parameter '\(parameter.name)'", "the name may have letters, digits, '-' and '_' only")
        }
        for artifact in outputs.artifacts { try check(artifact) }
    }

    private static func check(_ artifact: Artifact) throws(ModelError) {
        let subject = "artifact '\(artifact.name)'"
        if !isName(artifact.name, besides: "-_{}.") {
            throw .refused(subject, "the name may have letters, digits, '-', '_', '{', '}' and '.' only")
        }
        if let mode = artifact.mode, !(0...0o777).contains(mode) {
            throw .refused(subject, "mode \(mode) is not within 0 and 511")
        }
        let kinds = LocationKind.allCases.filter { artifact.location.document[$0.rawValue] != nil }
        if kinds.count > 1 {
            throw .refused(subject, "it has more than one location: \(kinds.map(\.rawValue).joined(separator: ", "))")
        }
        try check(
            artifact.document.field("artifactGC")?.field("strategy"), "artifactGC.strategy", subject,
            ["", "OnWorkflowCompletion", "OnWorkflowDeletion", "Never"])
        try check(
            artifact.location.document["s3"]?.field("addressingStyle"), "s3.addressingStyle", subject,
            ["", "path", "virtual-hosted"])
    }

    private static func check(
        _ value: JSONValue?, _ field: String, _ subject: String, _ allowed: [String]
    ) throws(ModelError) {
        if let text = value?.string, !allowed.contains(text) {
            throw .refused(subject, "\(field) '\(text)' is not allowed")
        }
    }

    private static func isName(_ name: String, besides marks: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
                default: marks.utf8.contains(byte)
                }
            }
    }
}
