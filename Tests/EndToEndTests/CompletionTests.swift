import Foundation
import TestSupport
import Testing

/// The shells themselves read the scripts and complete command lines.
@Suite struct CompletionTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Data(), to: "files/some file.yaml")
        try folder.write(Data(), to: "files/some folder/x")
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "argoexec"), withDestinationURL: Checkout.executor)
    }

    /// What a shell prints that reads a program on its standard input, in the folder `files`.
    private func output(of shell: String, _ arguments: [String], _ program: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [shell] + arguments
        process.currentDirectoryURL = folder.url.appending(path: "files")
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = folder.url.path + ":" + (environment["PATH"] ?? "")
        environment["HOME"] = folder.url.path
        environment["TERM"] = "dumb"
        process.environment = environment
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        input.fileHandleForWriting.write(Data(program.utf8))
        try input.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Lines to complete, and what comes of them.
    private static let lines: [([String], [String])] = [
        (["wai"], ["wait"]), (["completion", ""], ["bash", "fish", "zsh"]), (["wait", "--log-f"], ["--log-format"]),
        (["--log-format", "j"], ["json"]), (["wait", "--kubeconfig", "some"], ["some file.yaml", "some folder"]),
    ]

    @Test(arguments: lines) func bashCompletes(words: [String], expected: [String]) throws {
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let program = """
            source <(argoexec completion bash)
            complete -p argoexec > /dev/null || exit 1
            COMP_WORDS=(argoexec \(quoted)) COMP_CWORD=\(words.count)
            _argoexec
            printf '%s\\n' "${COMPREPLY[@]}"

            """
        #expect(try output(of: "bash", ["--norc"], program).sorted() == expected)
    }

    /// Bash hands `--flag=value` over in three words and takes the last one's completion.
    @Test(arguments: [
        ("--log-format = j", ["json"]), ("--log-format =", ["json", "text"]),
        ("wait --kubeconfig = some", ["some file.yaml", "some folder"]),
    ]) func bashCompletesAfterAnEqualsSign(words: String, expected: [String]) throws {
        let count = words.split(separator: " ").count
        let program = """
            source <(argoexec completion bash)
            COMP_WORDS=(argoexec \(words)) COMP_CWORD=\(count)
            _argoexec
            printf '%s\\n' "${COMPREPLY[@]}"

            """
        #expect(try output(of: "bash", ["--norc"], program).sorted() == expected)
    }

    @Test(.requiresProgram("zsh"), arguments: lines + [(["--log-format=j"], ["--log-format=json"])])
    func zshCompletes(words: [String], expected: [String]) throws {
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        // Only the completion system knows how to take candidates: what it would be given is printed.
        let program = """
            autoload -Uz compinit && compinit -u -D
            source <(argoexec completion zsh)
            [[ ${_comps[argoexec]} == _argoexec ]] || exit 1
            _describe() { print -l -- ${(@)${(@P)@[-1]}%%:*} }
            _files() { [[ $1 == -/ ]] && print -l -- some*(/) || print -l -- some* }
            words=(argoexec \(quoted)) CURRENT=\(words.count + 1) PREFIX=${words[-1]}
            _argoexec

            """
        #expect(try output(of: "zsh", ["-f"], program).sorted() == expected)
    }

    @Test(
        .requiresProgram("fish"),
        arguments: lines.dropLast() + [
            (["--log-format=j"], ["--log-format=json"]), (["wait", "--kubeconfig=some\\ fi"], ["--kubeconfig=some file.yaml"]),
            (["wait", "--kubeconfig", "some"], ["some file.yaml", "some folder/"]),
        ])
    func fishCompletes(words: [String], expected: [String]) throws {
        let program = "argoexec completion fish | source; complete -C 'argoexec \(words.joined(separator: " "))'\n"
        let lines = try output(of: "fish", ["--no-config"], program)
        #expect(lines.map { String($0.split(separator: "\t")[0]) }.sorted() == expected)
    }
}

extension Trait where Self == ConditionTrait {
    /// The test runs where a program is installed.
    fileprivate static func requiresProgram(_ name: String) -> Self {
        .enabled("\(name) is not installed") {
            (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
                FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
            }
        }
    }
}
