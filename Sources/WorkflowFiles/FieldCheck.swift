package import Documents
import SystemSupport

/// Goes through every field of a document: what is unknown, has no effect or cannot be done is found, with its place.
struct FieldCheck {
    let document: MarkedDocument
    private(set) var findings: [Finding] = []
    /// Paths that are not entered.
    private let excluded: Set<DocumentPath>

    init(_ document: MarkedDocument, excluding: Set<DocumentPath> = []) {
        self.document = document
        excluded = excluding
    }

    /// Checks the value at a path against a type.
    mutating func check(_ path: DocumentPath, as table: FieldTable) {
        guard let value = document.value[path] else { return }
        check(value, path, .object { table })
    }

    private mutating func check(_ value: JSONValue, _ path: DocumentPath, _ shape: FieldShape) {
        if value.isNull || excluded.contains(path) { return }
        switch (shape, value) {
        case (.anything, _), (.text, .string), (.looseText, .string), (.looseText, .number), (.looseText, .bool),
            (.flag, .bool),
            (.integerOrText, .string):
            break
        case (.integer, .number(let number)), (.integerOrText, .number(let number)):
            if number.int64 == nil { addWrongKind(path, "expected an integer, found \(number.text)") }
        case (.range(let range), .number(let number)):
            guard let value = number.int64 else { return addWrongKind(path, "expected an integer, found \(number.text)") }
            if let problem = FieldLimits.problem(value, range) { add(.error, path, problem, atValue: true) }
        case (.mode, .number(let number)):
            guard let value = number.int64 else { return addWrongKind(path, "expected an integer, found \(number.text)") }
            if let (severity, problem) = FieldLimits.modeProblem(value) { add(severity, path, problem, atValue: true) }
        case (.choice(let choices), .string(let text)):
            if !text.contains("{{"), let problem = FieldLimits.choiceProblem(text, choices) {
                add(.error, path, problem, atValue: true)
            }
        case (.quantity, .number): break
        case (.quantity, .string(let text)):
            if !text.contains("{{"), let problem = FieldLimits.quantityProblem(text) {
                add(.error, path, problem, atValue: true)
            }
        case (.filledList(let element), .array(let elements)):
            if elements.isEmpty { add(.error, path, "expected at least one element", atValue: true) }
            check(value, path, .list(element))
        case (.boundedList(let element, let bound), .array(let elements)):
            if elements.count > bound { add(.warning, path, FieldCheck.tooMany(elements.count, bound)) }
            check(value, path, .list(element))
        case (.list(let element), .array(let elements)):
            for (index, value) in elements.enumerated() { check(value, path.element(index), element) }
        case (.map(let element), .object(let object)):
            for member in object.members { check(member.value, path.member(member.name), element) }
        case (.object(let table), .object(let object)):
            let table = table()
            for member in object.members { check(member, path.member(member.name), table) }
        default:
            addWrongKind(path, "expected \(Self.name(of: shape)), found \(Self.name(of: value))")
        }
    }

    private mutating func check(_ member: JSONObject.Member, _ path: DocumentPath, _ table: FieldTable) {
        guard let rule = table.rules[member.name] else { return reportUnknown(member.name, path, table) }
        switch rule.use {
        case .used: check(member.value, path, rule.shape)
        case .unused, .refused: if Self.isVoid(member.value, mappingCounts: rule.emptyMappingCounts) { return }
        }
        switch rule.use {
        case .used: break
        case .unused(let reason):
            add(.warning, path, "has no effect in a local run: \(reason)", kind: .withoutEffect)
            check(member.value, path, rule.shape)
        case .refused(let reason): add(.error, path, reason)
        }
    }

    /// What is said of a list that is longer than the API server's schema allows.
    static func tooMany(_ count: Int, _ bound: Int) -> String {
        "\(count) elements; the API server takes at most \(bound)"
    }

    /// Whether a value says as much as its absence.
    ///
    /// - Parameter mappingCounts: whether an empty mapping has a meaning.
    private static func isVoid(_ value: JSONValue, mappingCounts: Bool) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty && !mappingCounts
        case .number, .bool: false
        }
    }

    private mutating func reportUnknown(_ name: String, _ path: DocumentPath, _ table: FieldTable) {
        // The controller's JSON reader matches names in any case, so that this one would count there.
        if let known = table.rules.keys.first(where: { JSONObject.isSameField($0, name) }) {
            add(.error, path, "the field is called '\(known)'")
            return
        }
        let near = NearName.hint(name, among: table.rules.keys)
        let place = document.place(of: path)
        findings.append(
            Finding(.warning, place: place, path: path.description, "unknown field\(near)", kind: .unknownField))
    }

    private mutating func add(
        _ severity: Finding.Severity, _ path: DocumentPath, _ text: String, atValue: Bool = false, kind: Finding.Kind = .other
    ) {
        let place = atValue ? document.valuePlace(of: path) : document.place(of: path)
        findings.append(Finding(severity, place: place, path: path.description, text, kind: kind))
    }

    private mutating func addWrongKind(_ path: DocumentPath, _ text: String) {
        let place = document.valuePlace(of: path)
        findings.append(Finding(.error, place: place, path: path.description, text, kind: .wrongKind))
    }

    private static func name(of shape: FieldShape) -> String {
        switch shape {
        case .text, .looseText, .choice: "a text"
        case .quantity: "a number or a text"
        case .integer, .range, .mode: "an integer"
        case .flag: "true or false"
        case .integerOrText: "an integer or a text"
        case .anything: "anything"
        case .object, .map: "a mapping"
        case .list, .filledList, .boundedList: "a list"
        }
    }

    private static func name(of value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .bool(let flag): "\(flag) (put it in quotes where a text is meant)"
        case .number(let number): "the number \(number.text) (put it in quotes where a text is meant)"
        case .string(let text): "the text '\(text.prefix(40))'"
        case .array: "a list"
        case .object: "a mapping"
        }
    }
}

extension WorkflowDocument {
    /// What is to be said about the document's fields, those of its templates left out.
    package var fieldFindings: [Finding] {
        let table: FieldTable
        switch kind {
        case .template: return []
        case .cronWorkflow: table = .cronWorkflow
        case .workflow, .workflowTemplate, .clusterWorkflowTemplate: table = .workflow
        }
        var check = FieldCheck(source, excluding: [specPath.member("templates")])
        check.check(.root, as: table)
        return check.findings
    }
}

extension DocumentPart {
    /// What is to be said about the fields of a template.
    package var templateFieldFindings: [Finding] {
        var check = FieldCheck(owner.source)
        check.check(path, as: .template)
        return check.findings
    }
}
