import RemoteProcedures
import WorkflowModel

/// The messages of the plugin's service (contract 03 §6.10; `docs/contract/artifact.proto`).
enum PluginMessages {
    /// A request that is about an artifact.
    ///
    /// - Parameters:
    ///   - field: the artifact's number in it.
    ///   - path: a path that the plugin sees too, and its number; nil for none.
    static func request(
        _ artifact: Artifact, _ location: PluginLocation, field: UInt64, path: (field: UInt64, text: String)? = nil
    ) -> [UInt8] {
        var request = ProtobufWriter()
        if let path { request.text(path.field, path.text) }
        request.message(field) { message in
            message.text(1, artifact.name)
            message.text(2, artifact.path)
            message.integer(3, UInt64(bitPattern: Int64(artifact.mode ?? 0)))
            message.text(4, artifact.from)
            message.message(5) { plugin in
                plugin.text(1, location.name)
                plugin.text(2, location.configuration)
                plugin.integer(3, UInt64(bitPattern: Int64(location.connectionTimeoutSeconds)))
                plugin.text(4, location.key)
            }
            message.integer(6, artifact.optional ? 1 : 0)
            message.text(7, artifact.subPath)
            message.integer(8, artifact.recurseMode ? 1 : 0)
            message.text(9, artifact.fromExpression)
            message.integer(10, artifact.deleted ? 1 : 0)
        }
        return request.bytes
    }

    /// An answer: a flag in field 1 (`success`, `is_directory`), texts in field 1 (`objects`), a text in field 2 (`error`).
    static func answer(_ bytes: [UInt8]) -> (flag: Bool, texts: [String], error: String) {
        var reader = ProtobufReader(bytes[...])
        var answer = (flag: false, texts: [String](), error: "")
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .integer(let number)): answer.flag = number != 0
            case (1, .bytes(let text)): answer.texts.append(String(decoding: text, as: UTF8.self))
            case (2, .bytes(let text)): answer.error = String(decoding: text, as: UTF8.self)
            default: continue
            }
        }
        return answer
    }
}
