package import SystemSupport

/// What may stand in the place of a command line's last word.
package struct Completion: Sendable, Equatable {
    /// One word that may stand there, and what it means.
    package struct Candidate: Sendable, Equatable {
        package let word: String
        package let help: String
    }

    /// Which of the machine's own files may stand there too.
    package enum Paths: String, Sendable {
        case none, files, folders
    }

    package var candidates: [Candidate] = []
    package var paths = Paths.none

    /// As the scripts of `CompletionScript` read it: the paths' kind, then a line for each candidate.
    package var text: String {
        paths.rawValue + "\n" + candidates.map { "\($0.word)\t\($0.help)\n" }.joined()
    }

    /// What a placeholder of the help stands for: `text|json`, `FILE`, `[DIR]`.
    fileprivate init(placeholder: String) {
        let name = placeholder.filter { !"[]….".contains($0) }
        if name.contains("=") {
            // The word begins with a name that only the user knows.
        } else if name.contains("|") {
            candidates = name.split(separator: "|").map { Candidate(word: String($0), help: "") }
        } else if ["DIR", "FOLDER"].contains(where: { name.hasSuffix($0) }) {
            paths = .folders
        } else if ["FILE", "PATH", "POD", "PROGRAM", "ARGUMENT"].contains(where: { name.hasPrefix($0) || name.hasSuffix($0) }) {
            paths = .files
        }
    }

    fileprivate init(_ candidates: [Candidate]) { self.candidates = candidates }
}

extension CommandTable {
    /// What may stand in the place of the last word, which may be begun or empty.
    ///
    /// - Parameter words: those after the program's name.
    package func completion(of words: [BytePath]) -> Completion {
        let last = words.last?.text ?? ""
        let before = Array(words.dropLast())
        if before.contains("--") { return Completion(placeholder: "PROGRAM") }
        let command = ((try? find(before)) ?? nil)?.command
        let flags = (command?.flags ?? []) + globalFlags.map(\.description)
        if let name = before.last, let flag = flags.first(where: { $0.value != nil && $0.isNamed(by: name.text) }) {
            return Self.begun(Completion(placeholder: flag.value ?? ""), last)
        }
        if last.hasPrefix("--"), let equals = last.firstIndex(of: "=") {
            let name = String(last[..<equals])
            guard let value = flags.first(where: { $0.isNamed(by: name) })?.value else { return Completion([]) }
            var completion = Completion(placeholder: value)
            completion.candidates = completion.candidates.map { .init(word: "\(name)=\($0.word)", help: $0.help) }
            return Self.begun(completion, last)
        }
        if last.hasPrefix("-") {
            let all = flags.map { Completion.Candidate(word: "--" + $0.name, help: $0.help) }
            return Self.begun(Completion(all + [.init(word: "--help", help: "tell how it is used")]), last)
        }
        guard let command else { return Self.begun(Completion(commandWords(after: before)), last) }
        let given = plainWords(before, flags).count - command.name.split(separator: " ").count
        let places = command.usage.split(separator: " ").prefix { !$0.hasPrefix("--") && !$0.hasPrefix("[--") }
        guard given >= 0, given < places.count else { return Completion([]) }
        return Self.begun(Completion(placeholder: String(places[given])), last)
    }

    /// Only what goes on as the word was begun.
    private static func begun(_ completion: Completion, _ word: String) -> Completion {
        var completion = completion
        completion.candidates = completion.candidates.filter { $0.word.hasPrefix(word) }
        return completion
    }

    /// The next words of all commands whose names begin with the words that stand there.
    private func commandWords(after before: [BytePath]) -> [Completion.Candidate] {
        let given = plainWords(before, globalFlags.map(\.description))
        var candidates: [Completion.Candidate] = []
        for command in listed {
            let name = command.name.split(separator: " ").map(String.init)
            guard name.count > given.count, Array(name.prefix(given.count)) == given else { continue }
            let word = name[given.count]
            if candidates.contains(where: { $0.word == word }) { continue }
            candidates.append(.init(word: word, help: command.summary))
        }
        return candidates
    }

    /// The words that are neither flags nor their values.
    private func plainWords(_ words: [BytePath], _ flags: [FlagDescription]) -> [String] {
        var plain: [String] = []
        var isValue = false
        for word in words.map(\.text) {
            if isValue {
                isValue = false
            } else if word.hasPrefix("-"), word != "-" {
                isValue = flags.contains { $0.value != nil && $0.isNamed(by: word) }
            } else {
                plain.append(word)
            }
        }
        return plain
    }
}

extension FlagDescription {
    /// Whether a word is this flag, its value not included.
    fileprivate func isNamed(by word: String) -> Bool { word == "--" + name || short.map { "-\($0)" } == word }
}
