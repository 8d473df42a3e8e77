import ExpressionValues
import Foundation
import Testing

@testable import Conditions

@Suite struct ConditionTests {
    @Test func conditionsHoldWhereTheReferencesDo() {
        let wrong = conditionRows.filter { condition, expected in (try? Condition.holds(condition)) != expected }
        #expect(wrong.map(\.0) == [])
    }

    @Test func faultsAreToldInTheReferencesWords() {
        let wrong = conditionErrorRows.compactMap { condition, reason -> String? in
            do throws(ConditionError) {
                return "\(condition): \(try Condition.holds(condition))"
            } catch {
                return error.reason == reason ? nil : "\(condition): \(error.reason)"
            }
        }
        #expect(wrong == [])
        for condition in otherConditionErrors {
            #expect(throws: ConditionError.self, "\(condition)") { try Condition.holds(condition) }
        }
    }

    @Test func anEmptyConditionHolds() throws { #expect(try Condition.holds("")) }

    @Test func messagesSayWhatTheControllerSays() {
        func message(_ condition: String) -> String? {
            #expect(throws: ConditionError.self) { try Condition.holds(condition) }?.message
        }
        #expect(
            message("a = b")
                == "Invalid 'when' expression 'a = b': Invalid token: '=' (hint: try wrapping the affected expression in quotes (\"))"
        )
        #expect(message("a") == "Expected boolean evaluation for 'a'. Got a")
        #expect(message("1 + 1") == "Expected boolean evaluation for '1 + 1'. Got 2")
        #expect(message("!a")?.hasPrefix("Failed to parse 'when' expression '!a': ") == true)
        #expect(
            message("1 > a")
                == "Failed to evaluate 'when' expresion '1 > a': Value '1' cannot be used with the comparator '>', it is not a number"
        )
    }

    @Test func wordsOfACronWorkflowAreVariables() throws {
        #expect(try Condition.holds("1 > 0 && 'a' == 'a'", words: .variables))
        let error = #expect(throws: ConditionError.self) { try Condition.holds("a == a", words: .variables) }
        #expect(error?.reason == "No parameter 'a' found.")
    }

    @Test func aCheckReadsAndDoesNotEvaluate() {
        #expect(throws: Never.self) { try Condition.check("1 > a") }
        #expect(throws: ConditionError.self) { try Condition.check("1 >") }
    }

    @Test func deepConditionsAreRefusedOnASmallStack() {
        let deep = String(repeating: "(", count: 4000) + "true" + String(repeating: ")", count: 4000)
        let fitting = String(repeating: "(", count: 40) + "true" + String(repeating: ")", count: 40)
        let long = "true" + String(repeating: " && a == a", count: 5000)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            #expect(throws: ConditionError.self) { try Condition.holds(deep) }
            #expect(throws: ConditionError.self) { try Condition.holds(String(repeating: "-", count: 4000) + "1 < 2") }
            #expect((try? Condition.holds(fitting)) == true)
            #expect((try? Condition.holds(long)) == true)
            done.signal()
        }
        thread.stackSize = 512 << 10
        thread.start()
        #expect(done.wait(timeout: .now() + 60) == .success)
    }

    @Test func conditionsThatWereChangedAtRandomEndInTime() {
        let rows = conditionRows.map(\.0) + conditionErrorRows.map(\.0) + otherConditionErrors
        var state: UInt64 = 7
        let signs = Array("()[],'\"\\&|=!<>+-*/%?:~ 1a.".unicodeScalars)
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<20_000 {
            var text = Array(rows[below(rows.count)].unicodeScalars)
            for _ in 0..<1 + below(3) where !text.isEmpty {
                let at = below(text.count)
                switch below(3) {
                case 0: text.remove(at: at)
                case 1: text.insert(Unicode.Scalar(UInt32(below(0xD7FF))) ?? " ", at: at)
                default: text[at] = signs[below(signs.count)]
                }
            }
            _ = try? Condition.holds(String(String.UnicodeScalarView(text)))
        }
    }
}
