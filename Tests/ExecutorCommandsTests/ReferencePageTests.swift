import CommandLineInterface
import ExecutorCommands
import Foundation
import SystemSupport
import TestSupport
import Testing

@Suite struct ReferencePageTests {
    private func committed(_ page: String) throws -> String {
        try String(contentsOf: Checkout.root.appending(path: "docs/\(page)"), encoding: .utf8)
    }

    @Test func theCommittedPageOfCommandsIsWhatTheProgramPrints() throws {
        let isSame = try committed("commands.md") == ReferencePage.commands(ExecutorProgram.commands)
        #expect(isSame, "docs/commands.md differs from the table of commands: run scripts/update-docs")
    }

    @Test func theCommittedPageOfVariablesIsWhatTheProgramPrints() throws {
        let isSame = try committed("environment.md") == ReferencePage.environment
        #expect(isSame, "docs/environment.md differs from EnvironmentVariable: run scripts/update-docs")
    }

    @Test func everyVariableStandsInThePageOnce() {
        let page = ReferencePage.environment
        for variable in EnvironmentVariable.allCases {
            #expect(page.components(separatedBy: "`\(variable.rawValue)`").count == 2, "\(variable.rawValue)")
        }
    }

    @Test func hiddenCommandsAreRunButShownNowhere() throws {
        let commands = ExecutorProgram.commands
        #expect(commands.commands.contains { $0.name == "reference" && $0.isHidden })
        #expect(!commands.help.contains("reference"))
        #expect(!ReferencePage.commands(commands).contains("argoexec reference"))
        #expect(!commands.completion(of: ["re"]).candidates.contains { $0.word == "reference" })
    }

    @Test func barsDoNotEndACell() {
        #expect(ReferencePage.commands(ExecutorProgram.commands).contains(#"`--log-format text\|json`"#))
    }
}
