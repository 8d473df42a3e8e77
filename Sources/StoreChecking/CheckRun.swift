import SystemSupport

/// The steps so far.
struct CheckRun {
    let advice: CheckAdvice
    private var noted: [CheckStep] = []

    init(advice: CheckAdvice) { self.advice = advice }

    /// In the order in which they are tried.
    var steps: [CheckStep] { CheckStep.Name.allCases.flatMap { name in noted.filter { $0.name == name } } }

    mutating func note(
        _ name: CheckStep.Name, _ state: CheckStep.State, _ answer: String, _ advice: String = "", time: Int64
    ) {
        noted.append(CheckStep(name: name, state: state, answer: answer, advice: advice, time: time))
    }

    /// Turns a step that had passed into a failed one.
    mutating func fail(_ name: CheckStep.Name, _ answer: String, _ advice: String) {
        let time = noted.first { $0.name == name }?.time ?? 0
        noted.removeAll { $0.name == name }
        note(name, .failed, answer, advice, time: time)
    }

    /// - Returns: the error, where there is one.
    @discardableResult
    mutating func attempt(_ name: CheckStep.Name, _ body: () throws -> Void) -> (any Error)? {
        let start = monotonicNanoseconds()
        do {
            try body()
            note(name, .ok, "", time: monotonicNanoseconds() - start)
            return nil
        } catch {
            note(
                name, .failed, errorText(error), advice.refusal(CheckBlame(error), name),
                time: monotonicNanoseconds() - start)
            return error
        }
    }

    mutating func skipRest(of names: [CheckStep.Name]) {
        for name in names where !noted.contains(where: { $0.name == name }) { note(name, .skipped, "", time: 0) }
    }
}
