import Testing
import WorkflowModel

@Suite struct ProgressTests {
    @Test(arguments: [
        ("3/7", WorkflowModel.Progress(done: 3, total: 7)), ("0/1", .init(done: 0, total: 1)),
        ("7/7", .init(done: 7, total: 7)),
        // What is no number counts as 0, as for the controller.
        ("x/3", .init(done: 0, total: 3)), ("/3", .init(done: 0, total: 3)),
        ("3", nil), ("", nil), ("3/", nil), ("3/x", nil), ("4/3", nil), ("-1/3", nil), ("0/0", nil), ("1/2/3", nil),
        ("9223372036854775808/1", nil), ("1/9223372036854775808", .init(done: 1, total: .max)),
    ])
    func readsDoneAndTotal(text: String, expected: WorkflowModel.Progress?) {
        #expect(Progress(text) == expected)
    }

    @Test func addsUpWithoutOverflow() {
        let large = Progress(done: 1, total: .max)
        #expect(Progress(done: 1, total: 2) + Progress(done: 3, total: 4) == Progress(done: 4, total: 6))
        #expect(large + large == large)
    }
}
