import Documents
import SystemSupport
import Testing

@testable import ResourceTemplates

private let job: JSONValue = {
    let text = """
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j","labels":{"app":"x","example.com/part":"y"},"generation":2},
         "spec":{"parallelism":1.50,"huge":1e21,"big":9007199254740993,"suspend":false,"selector":null},
         "status":{"succeeded":3,"phase":"Done","conditions":[{"type":"Complete","status":"True"},{"type":"Failed"}],
         "2":"two","empty":""}}
        """
    guard let value = try? JSONValue(parsing: text) else { return .null }
    return value
}()

@Suite struct ConditionTests {
    @Test(arguments: [
        ("metadata.name", "j"), ("metadata.generation", "2"), ("status.conditions.0.type", "Complete"),
        ("status.conditions.1.type", "Failed"), ("status.conditions.01.type", "Failed"), ("status.2", "two"),
        ("status.empty", ""),
        ("spec.selector", ""), ("spec.suspend", "false"), ("spec.parallelism", "1.5"), ("spec.big", "9007199254740993"),
        ("spec.huge", "1000000000000000000000"), ("metadata.labels.app", "x"), ("status.conditions.1", #"{"type":"Failed"}"#),
    ])
    func aPathFindsItsValueAsText(path: String, value: String) {
        #expect(ObjectPath(path).text(in: job) == value)
    }

    @Test(arguments: [
        "metadata.nothing", "metadata.name.more", "status.conditions.2.type", "status.conditions.-1", "status.conditions.first",
        "status.conditions.", "metadata.labels.example.com/part", "", "Metadata.name",
    ])
    func aPathThatIsNotThereHasNoValue(path: String) {
        #expect(ObjectPath(path).text(in: job) == nil)
    }

    @Test(arguments: [
        ("status.phase = Done", true), ("status.phase==Done", true), ("status.phase == done", false),
        ("status.phase != Done", false),
        ("status.phase != Other", true), ("status.none != Other", true), ("status.none = ", false), ("status.empty = ", true),
        ("status.empty", true), ("status.none", false), ("!status.none", true), ("! status.phase", false),
        ("spec.selector", true),
        ("status.succeeded > 2", true), ("status.succeeded > 3", false), ("status.succeeded<4", true),
        ("status.phase > 1", false),
        ("status.none < 5", false), ("status.phase in (Done,Failed)", true), ("status.phase in (Failed)", false),
        ("status.phase notin (Failed, Error)", true), ("status.none notin (a)", true), ("status.empty in ()", true),
        ("status.empty in (a,)", true), ("status.phase == Done, status.succeeded == 3", true),
        ("status.phase == Done,status.succeeded == 4", false), ("spec.parallelism == 1.5", true), ("spec.suspend=false", true),
        ("status.conditions.0.status == True", true), ("in in (a)", false), (" \t\n", true),
        ("metadata.labels.example.com/part", false),
    ])
    func aConditionIsDecidedAsALabelSelectorIs(text: String, isFulfilled: Bool) throws {
        let verdict = try Conditions(success: text, failure: "").verdict(on: job)
        #expect((verdict == .succeeded) == isFulfilled)
        let failing = try Conditions(success: "status.none", failure: text).verdict(on: job)
        let parts = try ConditionParser.requirements(of: text, "c")
        // One part of a failure condition is enough.
        if parts.count == 1 {
            if case .failed = failing { #expect(isFulfilled) } else { #expect(!isFulfilled) }
        }
    }

    @Test func theFailureIsNamedAsTheReferenceNamesIt() throws {
        let conditions = try Conditions(success: "a", failure: "status.phase in (Zoo, Done), metadata.name == x")
        guard case .failed(let requirement) = conditions.verdict(on: job) else {
            Issue.record("not failed")
            return
        }
        #expect("\(requirement)" == "{status.phase in [Done Zoo]}")
        #expect("\(try ConditionParser.requirements(of: "data.phase == broken", "c")[0])" == "{data.phase == [broken]}")
        #expect("\(try ConditionParser.requirements(of: "a > 5", "c")[0])" == "{a gt [5]}")
        #expect("\(try ConditionParser.requirements(of: "!a", "c")[0])" == "{a ! []}")
        #expect("\(try ConditionParser.requirements(of: "a", "c")[0])" == "{a exists []}")
    }

    @Test func partsAreGoneThroughInTheOrderOfTheirPaths() throws {
        let paths = try ConditionParser.requirements(of: "b=1,a=2,b!=3,B", "c").map { "\($0)" }
        #expect(paths == ["{B exists []}", "{a = [2]}", "{b = [1]}", "{b != [3]}"])
    }

    @Test func onlyAFailureConditionSucceedsAtTheFirstLookThatDoesNotFail() throws {
        #expect(try Conditions(success: "", failure: "status.phase == Broken").verdict(on: job) == .succeeded)
    }

    @Test(arguments: [
        ("a=b,", "found the end, expected: a path after ','"), ("=b", "found '=', expected: a path or '!'"),
        ("a b", "found 'b', expected: in, notin"), ("a in b", "found 'b', expected: '('"), ("a in (b", "expected: ',' or ')'"),
        ("a in (b c)", "found 'c', expected: ',' or ')'"), ("a == b == c", "found '==', expected: ',' or the end"),
        ("a > many", "which is not an integer"), ("a=b=c", "expected: ',' or the end"), ("a.#.b = c", "not a path"),
        ("a/b/c = d", "not a path"), ("A/b = d", "not a path"), ("a == -b", "not a value"), ("a > -1", "not a value"),
        (".a == b", "not a path"),
        ("!", "found 'the end', expected: a path"), ("a = (b)", "found '(', expected: a value"), ("a == ü", "not a value"),
        ("{.status.phase} == Done", "not a path"),
    ])
    func aTextThatIsNoConditionIsAnError(text: String, cause: String) {
        let error = #expect(throws: ExecutorError.self) { try Conditions(success: text, failure: "") }
        #expect(error?.message.hasPrefix("success condition '\(text)' failed to parse: ") == true)
        #expect(error?.message.contains(cause) == true, "\(error?.message ?? "")")
    }

    @Test func namesThatAreTooLongForALabelAreRefused() {
        let long = String(repeating: "a", count: 64)
        #expect(throws: ExecutorError.self) { try Conditions(success: long, failure: "") }
        #expect(throws: ExecutorError.self) { try Conditions(success: "a=\(long)", failure: "") }
        #expect(throws: Never.self) { try Conditions(success: "\(long.dropLast())=\(long.dropLast())", failure: "") }
    }
}
