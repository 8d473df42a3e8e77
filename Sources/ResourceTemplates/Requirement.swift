import Documents

/// One part of a condition: what a label selector asks of a label, asked of the value at a path of an object (contract 02 §7).
struct Requirement: Sendable, Equatable {
    /// The operators, with the names under which the reference prints them.
    enum Operator: String, Sendable {
        case equals = "="
        case doubleEquals = "=="
        case notEquals = "!="
        case isIn = "in"
        case isNotIn = "notin"
        case exists = "exists"
        case doesNotExist = "!"
        case greaterThan = "gt"
        case lessThan = "lt"
    }

    let path: ObjectPath
    let comparison: Operator
    /// Sorted, each once.
    let values: [String]

    /// Whether an object fulfils it. A path that is absent differs from every value.
    func matches(_ object: JSONValue) -> Bool {
        let found = path.text(in: object)
        switch comparison {
        case .exists: return found != nil
        case .doesNotExist: return found == nil
        case .equals, .doubleEquals, .isIn: return found.map(isListed) ?? false
        case .notEquals, .isNotIn: return !(found.map(isListed) ?? false)
        case .greaterThan, .lessThan:
            guard let number = found.flatMap(Self.integer), let limit = values.first.flatMap(Self.integer) else { return false }
            return comparison == .greaterThan ? number > limit : number < limit
        }
    }

    private func isListed(_ text: String) -> Bool { values.contains { $0.utf8.elementsEqual(text.utf8) } }

    /// A 64-bit integer as Go reads it, a sign included.
    static func integer(_ text: String) -> Int64? { Int64(text) }
}

extension Requirement: CustomStringConvertible {
    /// As the reference prints it: users match on its messages.
    var description: String { "{\(path.text) \(comparison.rawValue) [\(values.joined(separator: " "))]}" }
}

/// When a step that acts on an object has succeeded, and when it has failed.
struct Conditions: Sendable {
    let success: [Requirement]
    let failure: [Requirement]
    /// Whether there is anything to wait for: a template may have no condition at all.
    let isEmpty: Bool

    /// - Throws: `ExecutorError` where one of them is no label selector.
    init(success: String, failure: String) throws {
        self.success = success.isEmpty ? [] : try ConditionParser.requirements(of: success, "success condition")
        self.failure = failure.isEmpty ? [] : try ConditionParser.requirements(of: failure, "fail condition")
        isEmpty = success.isEmpty && failure.isEmpty
    }

    enum Verdict: Equatable {
        case succeeded
        case failed(Requirement)
        /// With the number of success conditions that hold already.
        case undecided(Int)
    }

    /// One failure condition is enough; success takes all of its conditions, and without any is there at once (contract 05 C27).
    func verdict(on object: JSONValue) -> Verdict {
        if let requirement = failure.first(where: { $0.matches(object) }) { return .failed(requirement) }
        let count = success.count { $0.matches(object) }
        return count == success.count ? .succeeded : .undecided(count)
    }
}
