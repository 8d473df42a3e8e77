/// Reads YAML as the controller and its tools do, and remembers where everything was written.
///
/// - Scalars resolve as in `YAMLScalars`; keys become texts, as JSON asks.
/// - A merge key (`<<`) sets the members of its mapping where it stands: what is written after it wins over it, what is written
///   before it loses, as in goyaml v2.
/// - Unlike goyaml, a key that is written twice in one mapping is an error, but in files that belong to another tool.
package enum YAMLReader {
    /// What aliases may add to a document, in values; beyond that the text is taken for an attack.
    static let maximumAliased = 400_000

    /// The documents of a text, in order. Empty ones have the value null.
    ///
    /// - Throws: `DocumentError` with the place of the fault.
    package static func documents(
        _ bytes: [UInt8], file: String, repeatedKeys: RepeatedKeys = .refused
    ) throws(DocumentError) -> [MarkedDocument] {
        var builder = YAMLBuilder(file: file, repeatedKeys: repeatedKeys)
        do throws(YAMLFault) {
            try YAMLEvent.read(bytes) { (event, position) throws(YAMLFault) in try builder.add(event, position) }
        } catch {
            throw .at(file, error.position, error.reason)
        }
        return builder.documents
    }

    /// The documents of a file: JSON where its name ends so or it begins with a brace and is JSON, else YAML.
    ///
    /// - Throws: `DocumentError` with the place of the fault.
    package static func file(_ bytes: [UInt8], name: String) throws(DocumentError) -> [MarkedDocument] {
        if name.hasSuffix(".json") { return [try JSONMarks.document(bytes, file: name)] }
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "{"), let document = try? JSONMarks.document(bytes, file: name) { return [document] }
        return try documents(bytes, file: name)
    }

    /// The documents of a file that belongs to another tool, such as a kubeconfig, read as that tool's own reader does
    /// (Kubernetes' `sigs.k8s.io/yaml`): YAML or JSON whatever its name, and of a key that is written twice the last one
    /// counts.
    ///
    /// - Throws: `DocumentError` with the place of the fault.
    package static func foreignFile(_ bytes: [UInt8], name: String) throws(DocumentError) -> [MarkedDocument] {
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "{"),
            let document = try? JSONMarks.document(bytes, file: name, repeatedKeys: .lastCounts)
        {
            return [document]
        }
        return try documents(bytes, file: name, repeatedKeys: .lastCounts)
    }
}

/// Builds values from events, without recursion.
struct YAMLBuilder {
    private struct Node {
        let value: JSONValue
        let marks: DocumentMarks
        /// How many values it is, itself included.
        var size = 1
        /// How many levels of collections it has.
        var height = 0
    }

    private struct Frame {
        let position: SourcePosition
        let anchor: String?
        let isMapping: Bool
        var size = 1
        var height = 0
        var elements: [JSONValue] = []
        var object = JSONObject()
        var names: [SourcePosition] = []
        var children: [DocumentMarks] = []
        /// Which members came with a merge key and may be set once more.
        var merged: Set<String> = []
        var key: (name: String, position: SourcePosition, isMerge: Bool)?
    }

    let file: String
    private(set) var documents: [MarkedDocument] = []
    private var frames: [Frame] = []
    private var anchors: [String: Node] = [:]
    private var aliased = 0
    private let repeatedKeys: RepeatedKeys
    /// Of the document that is being read.
    private var repetitions: [DocumentError] = []

    init(file: String, repeatedKeys: RepeatedKeys = .refused) {
        self.file = file
        self.repeatedKeys = repeatedKeys
    }

    mutating func add(_ event: YAMLEvent, _ position: SourcePosition) throws(YAMLFault) {
        switch event {
        case .documentStart:
            anchors = [:]
            repetitions = []
        case .documentEnd: break
        case .alias(let name): try place(try resolve(name, position), position)
        case .scalar(let scalar): try add(scalar, position)
        case .sequenceStart(let anchor): try open(Frame(position: position, anchor: anchor, isMapping: false))
        case .mappingStart(let anchor): try open(Frame(position: position, anchor: anchor, isMapping: true))
        case .sequenceEnd, .mappingEnd: try close()
        }
    }

    private mutating func resolve(_ name: String, _ position: SourcePosition) throws(YAMLFault) -> Node {
        guard let node = anchors[name] else {
            let isOpen = frames.contains { $0.anchor == name }
            throw YAMLFault(position, isOpen ? "anchor '\(name)' contains itself" : "unknown anchor '\(name)'")
        }
        aliased += node.size
        if aliased > YAMLReader.maximumAliased { throw YAMLFault(position, "aliases make the document too large") }
        return node
    }

    private mutating func add(_ scalar: YAMLScalar, _ position: SourcePosition) throws(YAMLFault) {
        let isKey = frames.last.map { $0.isMapping && $0.key == nil } ?? false
        if isKey, scalar.text == "<<", scalar.isPlain || scalar.tag == "tag:yaml.org,2002:merge" {
            frames[frames.count - 1].key = ("<<", position, true)
            return
        }
        let value: JSONValue
        do throws(YAMLScalars.Unreadable) { value = try YAMLScalars.value(scalar) } catch {
            throw YAMLFault(position, error.reason)
        }
        let node = Node(value: value, marks: DocumentMarks(position))
        if let anchor = scalar.anchor { anchors[anchor] = node }
        try place(node, position)
    }

    private mutating func open(_ frame: Frame) throws(YAMLFault) {
        if frames.count == JSONValue.maximumDepth { throw tooDeep(frame.position) }
        if frames.last.map({ $0.isMapping && $0.key == nil }) ?? false {
            throw YAMLFault(frame.position, "a key must be a text, not a collection")
        }
        frames.append(frame)
    }

    private mutating func close() throws(YAMLFault) {
        guard let frame = frames.popLast() else { return }
        let node = Node(
            value: frame.isMapping ? .object(frame.object) : .array(frame.elements),
            marks: DocumentMarks(frame.position, names: frame.names, children: frame.children), size: frame.size,
            height: frame.height + 1)
        if let anchor = frame.anchor { anchors[anchor] = node }
        try place(node, frame.position)
    }

    /// Puts a value where it belongs: into the innermost collection, or as a document of its own.
    private mutating func place(_ node: Node, _ position: SourcePosition) throws(YAMLFault) {
        guard var frame = frames.popLast() else {
            documents.append(
                MarkedDocument(value: node.value, file: file, marks: node.marks, repeatedKeys: repetitions))
            return
        }
        if frames.count + 1 + node.height > JSONValue.maximumDepth { throw tooDeep(position) }
        frame.size += node.size
        frame.height = max(frame.height, node.height)
        if !frame.isMapping {
            frame.elements.append(node.value)
            frame.children.append(node.marks)
        } else if let key = frame.key {
            frame.key = nil
            if key.isMerge {
                try merge(node, position, into: &frame)
            } else {
                try set(key.name, key.position, node.value, node.marks, in: &frame, isMerged: false)
            }
        } else {
            guard let name = YAMLScalars.key(node.value) else {
                throw YAMLFault(position, "a key must be a text, not \(node.value.kindName)")
            }
            frame.key = (name, position, false)
        }
        frames.append(frame)
    }

    private func tooDeep(_ position: SourcePosition) -> YAMLFault {
        YAMLFault(position, "nested deeper than \(JSONValue.maximumDepth) levels")
    }

    private mutating func set(
        _ name: String, _ position: SourcePosition, _ value: JSONValue, _ marks: DocumentMarks, in frame: inout Frame,
        isMerged: Bool
    ) throws(YAMLFault) {
        if frame.object[name] != nil, let index = frame.object.members.firstIndex(where: { hasSameBytes($0.name, name) }) {
            if !isMerged, !frame.merged.contains(name) {
                let text = "the key '\(name)' is a duplicate; the first is at \(frame.names[index])"
                if repeatedKeys == .refused { throw YAMLFault(position, text) }
                repetitions.append(.at(file, position, text))
            }
            frame.names[index] = position
            frame.children[index] = marks
        } else {
            frame.names.append(position)
            frame.children.append(marks)
        }
        if isMerged { frame.merged.insert(name) } else { frame.merged.remove(name) }
        frame.object[name] = value
    }

    private mutating func merge(_ node: Node, _ position: SourcePosition, into frame: inout Frame) throws(YAMLFault) {
        let sources: [(JSONValue, DocumentMarks)]
        switch node.value {
        case .object: sources = [(node.value, node.marks)]
        // The first of a list wins.
        case .array(let elements): sources = zip(elements, node.marks.children).reversed()
        default: sources = [(.null, node.marks)]
        }
        for (value, marks) in sources {
            guard let object = value.object else { throw YAMLFault(position, "only mappings can be merged with '<<'") }
            for (index, member) in object.members.enumerated() {
                try set(
                    member.name, marks.names[index], member.value, marks.children[index], in: &frame, isMerged: true)
            }
        }
    }
}
