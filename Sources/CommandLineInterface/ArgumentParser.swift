import SystemSupport

/// Reads flags and words by the rules of the reference's parser (pflag): `--name value` or `--name=value`, flags also after
/// words, the last one wins, everything after `--` verbatim, no abbreviations.
struct ArgumentParser<Global: Sendable, Settings: Sendable> {
    private var global: Global
    private var settings: Settings
    private var words: [BytePath] = []
    private var rest: [BytePath]?

    init(global: Global, settings: Settings) {
        self.global = global
        self.settings = settings
    }

    var invocation: Invocation<Global, Settings> {
        Invocation(global: global, settings: settings, words: words, rest: rest)
    }

    mutating func parse(
        _ arguments: [BytePath], globalFlags: [Flag<Global>], flags: [Flag<Settings>]
    ) throws(UsageError) {
        var index = 0
        while index < arguments.count {
            let word = arguments[index]
            index += 1
            if word == "--" {
                rest = Array(arguments[index...])
                return
            }
            guard word.bytes.first == UInt8(ascii: "-"), word.bytes.count > 1 else {
                words.append(word)
                continue
            }
            let isLong = word.bytes.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")])
            var (name, value) = Self.split(word, isLong: isLong)
            if let flag = flags.first(where: { Self.matches($0, name, isLong) }) {
                let value = try Self.take(&value, flag.value != nil, word, arguments, &index)
                try flag.set(&settings, value)
            } else if let flag = globalFlags.first(where: { Self.matches($0, name, isLong) }) {
                let value = try Self.take(&value, flag.value != nil, word, arguments, &index)
                try flag.set(&global, value)
            } else {
                throw .unknownFlag(isLong ? "--" + name : word.text)
            }
        }
    }

    private static func matches<S>(_ flag: Flag<S>, _ name: String, _ isLong: Bool) -> Bool {
        isLong ? flag.name == name : flag.short.map(String.init) == name
    }

    /// `--name=value`, `--name`, `-n=value`, `-nvalue` or `-n`.
    private static func split(_ word: BytePath, isLong: Bool) -> (String, BytePath?) {
        let body = word.bytes.dropFirst(isLong ? 2 : 1)
        if isLong {
            guard let equals = body.firstIndex(of: UInt8(ascii: "=")) else {
                return (String(decoding: body, as: UTF8.self), nil)
            }
            return (String(decoding: body[..<equals], as: UTF8.self), BytePath(bytes: body[(equals + 1)...]))
        }
        var value = body.dropFirst()
        if value.first == UInt8(ascii: "=") { value = value.dropFirst() }
        return (String(decoding: body.prefix(1), as: UTF8.self), body.count > 1 ? BytePath(bytes: value) : nil)
    }

    private static func take(
        _ value: inout BytePath?, _ needsValue: Bool, _ word: BytePath, _ arguments: [BytePath], _ index: inout Int
    ) throws(UsageError) -> BytePath {
        if let value { return value }
        if !needsValue { return "true" }
        guard index < arguments.count else { throw .missingValue(word.text) }
        defer { index += 1 }
        return arguments[index]
    }
}
