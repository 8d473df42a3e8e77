import CYAML

/// What libyaml reports of a text, in order.
enum YAMLEvent {
    case documentStart
    case documentEnd
    case alias(String)
    case scalar(YAMLScalar)
    case sequenceStart(anchor: String?)
    case sequenceEnd
    case mappingStart(anchor: String?)
    case mappingEnd

    /// Passes the events of a whole stream to `handle`, each with the place where it begins.
    ///
    /// - Throws: `YAMLFault` where the text is no YAML, or what `handle` throws.
    static func read(
        _ bytes: [UInt8], _ handle: (YAMLEvent, SourcePosition) throws(YAMLFault) -> Void
    ) throws(YAMLFault) {
        var parser = unsafe yaml_parser_t()
        guard unsafe yaml_parser_initialize(&parser) == 1 else {
            throw YAMLFault(SourcePosition(line: 1, column: 1), "out of memory")
        }
        defer { unsafe yaml_parser_delete(&parser) }
        try unsafe bytes.withUnsafeBufferPointer { (input) throws(YAMLFault) in
            unsafe yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
            var event = unsafe yaml_event_t()
            while true {
                guard unsafe yaml_parser_parse(&parser, &event) == 1 else { throw unsafe YAMLFault(parser, bytes) }
                defer { unsafe yaml_event_delete(&event) }
                if unsafe event.type == YAML_STREAM_END_EVENT { return }
                if let read = unsafe YAMLEvent(event) { try unsafe handle(read, SourcePosition(event.start_mark)) }
            }
        }
    }

    /// Nil for the events that carry nothing.
    private init?(_ event: yaml_event_t) {
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT: self = .documentStart
        case YAML_DOCUMENT_END_EVENT: self = .documentEnd
        case YAML_ALIAS_EVENT: self = .alias(unsafe yamlText(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let value = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            self = .scalar(
                YAMLScalar(
                    text: unsafe String(decoding: value, as: UTF8.self), tag: unsafe yamlText(scalar.tag),
                    anchor: unsafe yamlText(scalar.anchor), isPlain: unsafe scalar.plain_implicit != 0))
        case YAML_SEQUENCE_START_EVENT: self = .sequenceStart(anchor: unsafe yamlText(event.data.sequence_start.anchor))
        case YAML_SEQUENCE_END_EVENT: self = .sequenceEnd
        case YAML_MAPPING_START_EVENT: self = .mappingStart(anchor: unsafe yamlText(event.data.mapping_start.anchor))
        case YAML_MAPPING_END_EVENT: self = .mappingEnd
        default: return nil
        }
    }
}

/// A scalar as it was written.
struct YAMLScalar {
    let text: String
    let tag: String?
    let anchor: String?
    /// Neither quoted nor a block nor tagged, so that its text decides what it is.
    let isPlain: Bool
}

/// Why a text is no YAML, and where.
struct YAMLFault: Error {
    let position: SourcePosition
    let reason: String

    init(_ position: SourcePosition, _ reason: String) {
        self.position = position
        self.reason = reason
    }

    /// What the parser says about its failure.
    fileprivate init(_ parser: yaml_parser_t, _ bytes: [UInt8]) {
        let problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "out of memory"
        if unsafe parser.error == YAML_READER_ERROR {
            let offset = unsafe min(parser.problem_offset, bytes.count)
            self.init(SourcePosition(in: bytes, offset: offset), problem)
            return
        }
        // A mark may stand on a line after the last.
        let end = SourcePosition(in: bytes, offset: bytes.count)
        let position = unsafe min(SourcePosition(parser.problem_mark), end)
        if problem.hasSuffix("cannot start any token"), position.byte(in: bytes) == UInt8(ascii: "\t") {
            self.init(position, "a tab stands where only spaces may")
            return
        }
        guard let context = unsafe parser.context.map({ unsafe String(cString: $0) }) else {
            self.init(position, problem)
            return
        }
        let began = unsafe min(SourcePosition(parser.context_mark), end)
        self.init(position, "\(problem) \(context)" + (began == position ? "" : " that began at \(began)"))
    }
}

extension SourcePosition {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) &+ 1, column: Int(clamping: mark.column) &+ 1)
    }

    /// The place of a byte, in a text that may be no UTF-8.
    init(in bytes: [UInt8], offset: Int) {
        var line = 1
        var column = 1
        for byte in bytes[..<offset] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.init(line: line, column: column)
    }

    /// The byte at this place; nil beyond the end.
    fileprivate func byte(in bytes: [UInt8]) -> UInt8? {
        var line = 1
        var column = 1
        for byte in bytes {
            if byte & 0xC0 == 0x80 { continue }
            if (line, column) == (self.line, self.column) { return byte }
            (line, column) = byte == UInt8(ascii: "\n") ? (line + 1, 1) : (line, column + 1)
        }
        return nil
    }
}

private func yamlText(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    unsafe text.map { unsafe String(cString: $0) }
}
