/// What a local run makes of a field.
enum FieldUse: Sendable, Equatable {
    /// It has its meaning here too, or none that could show in a run.
    case used
    /// It has no effect here, and that cannot change what the steps produce: where pods run, what they may consume.
    case unused(String)
    /// It would change which steps run or what they produce, and is not supported.
    case refused(String)
}

/// What kind of value a field holds.
indirect enum FieldShape: Sendable {
    case text
    /// A text that may be written as number or truth value.
    case looseText
    case integer
    case flag
    case integerOrText
    /// An integer within bounds.
    case range(ClosedRange<Int64>)
    /// Permissions of a file: 0 to 0777.
    case mode
    /// One of a few texts.
    case choice([String])
    /// An amount in Kubernetes' notation (`500m`, `1.5Gi`), as text or number.
    case quantity
    case anything
    /// Given when it is asked for: tables refer to each other.
    case object(@Sendable () -> FieldTable)
    case list(FieldShape)
    /// A list with at least one element.
    case filledList(FieldShape)
    /// A list that the API server limits in length; the controller does not.
    case boundedList(FieldShape, Int)
    case map(FieldShape)
}

struct FieldRule: Sendable {
    let name: String
    let shape: FieldShape
    let use: FieldUse
    /// Whether an empty mapping says something, so that it is not as good as absent.
    var emptyMappingCounts = false
}

/// Every field of one type of the CRDs, and what becomes of it in a local run.
struct FieldTable: Sendable {
    let rules: [String: FieldRule]

    init(_ groups: [FieldRule]...) {
        var rules: [String: FieldRule] = [:]
        for rule in groups.joined() { rules[rule.name] = rule }
        self.rules = rules
    }

    /// Fields that are used, all of one shape.
    static func used(_ shape: FieldShape, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: shape, use: .used) }
    }

    /// Fields without effect, and why.
    static func unused(_ reason: String, _ shape: FieldShape = .anything, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: shape, use: .unused(reason)) }
    }

    /// Fields that cannot be left out of account, and what they would do.
    static func refused(_ reason: String, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: .anything, use: .refused(reason)) }
    }

    /// Fields that cannot be left out of account even when they are empty mappings, which have a meaning.
    static func refusedEvenEmpty(_ reason: String, _ names: String...) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: .anything, use: .refused(reason), emptyMappingCounts: true) }
    }

    static let placement = "pods are not placed on nodes here"
    static let identity = "service accounts are ignored in a local run"
    static let limits = "resources are not limited here"
    static let network = "the network is this machine's own"
    static let observation = "metrics are not collected here"
    static let retention = "nothing is deleted after a local run"
}
