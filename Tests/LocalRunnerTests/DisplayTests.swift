import Documents
import Foundation
import SystemSupport
import Testing
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

@testable import LocalRunner

@Suite struct DisplayTests {
    @Test func readsTransfersInTheExecutorsLog() throws {
        let line =
            #"time=2026-01-01T00:00:00.000Z level=INFO msg=loading argo=true artifact="s3://b/a \"b\".tgz" bytes=1500 total=3000 MBps=1.5 remainingSeconds=1 objects=0 retries=0"#
        let transfer = try #require(TransferLine(Array(line.utf8)))
        #expect(transfer.isLoading)
        #expect(!transfer.isOver)
        #expect(transfer.subject == "s3://b/a \"b\".tgz")
        #expect(transfer.bytes == 1500)
        #expect(transfer.total == 3000)
        let style = TreeStyle(isUnicode: false, isColored: false)
        #expect(style.text(of: transfer) == "loading a \"b\".tgz ##########---------- 1.5 kB of 3.0 kB  1.5 MB/s")
        let saved = try #require(TransferLine(Array("msg=saved artifact=x bytes=12 objects=1 MBps=0.0".utf8)))
        #expect(saved.isOver)
        #expect(!saved.isLoading)
        #expect(saved.total == nil)
    }

    @Test(arguments: [
        "", "msg=other bytes=1 artifact=a", "msg=loading artifact=a", "msg=\"loading", "=", "msg=loading bytes=x artifact=a",
    ])
    func leavesOtherLinesAlone(line: String) { #expect(TransferLine(Array(line.utf8)) == nil) }

    @Test func aTreesLinesFitTheTerminal() {
        let style = TreeStyle(isUnicode: false, isColored: false)
        let line = TreeLine(depth: 1, phase: .failed, label: "step", details: "Failed  1.0s  a message\nof two lines")
        let text = line.text(style, columns: 60)
        #expect(text == "x   step                          Failed  1.0s  a message o")
        #expect(text.count < 60)
        #expect(line.text(style, columns: 1) == "x ")
    }

    @Test(
        arguments: [
            (0, "0.00s"), (120_000_000, "0.12s"), (3_400_000_000, "3.4s"), (125_000_000_000, "2m5s"),
            (7_260_000_000_000, "2h1m"),
            (-5, "0.00s"),
        ] as [(Int64, String)])
    func writesDurations(nanoseconds: Int64, text: String) { #expect(durationText(nanoseconds) == text) }

    @Test(
        arguments: [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (5_000_000_000_000, "5.0 TB")]
            as [(Int64, String)])
    func writesSizes(bytes: Int64, text: String) { #expect(sizeText(bytes) == text) }

    @Test func noContainerMovesTheCursor() {
        #expect(TreeStyle.harmless(Array("a\u{1B}[2Jb\tc\r".utf8)) == Array("a.[2Jb\tc.".utf8))
    }

    // MARK: The tree

    private func run(_ steps: String) throws -> WorkflowRun {
        let text = """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: w}
            spec:
              entrypoint: main
              templates:
              - name: main
                steps: [\(steps)]
              - {name: t, container: {image: i, command: [c]}}
            """
        let plan = try WorkflowPlan(WorkflowSource(files: [("w.yaml", Array(text.utf8))]))
        return WorkflowRun(
            plan: plan,
            identity: .init(name: "w", namespace: "n", uid: "u", creationTimestamp: Timestamp(seconds: 1_000_000_000)))
    }

    private final class Screen {
        var text = ""
        func display(rows: Int) -> TreeDisplay {
            TreeDisplay(
                log: .silent, style: TreeStyle(isUnicode: false, isColored: false), size: { (rows, 80) },
                write: { self.text += String(decoding: $0, as: UTF8.self) })
        }
    }

    @Test func drawsOverItsLastDrawing() throws {
        let screen = Screen()
        let display = screen.display(rows: 24)
        var run = try run("[{name: a, template: t}]")
        _ = run.start(at: Timestamp.now)
        display.show(run)
        #expect(screen.text.contains("/ w "))
        #expect(screen.text.contains(".   a "))
        let node = try #require(run.allNodes.first { $0.displayName == "a" })
        display.line(node: node, container: "main", isExecutor: false, Array("said".utf8))
        _ = run.podFinished(node.id, PodResult(phase: .succeeded), at: Timestamp.now)
        screen.text = ""
        display.show(run)
        #expect(screen.text.hasPrefix("\u{1B}[2A\r\u{1B}[Ja | said\n+ w "))
        #expect(display.nextRefresh == nil)
    }

    @Test func aLargeTreeShowsWhatRuns() throws {
        let screen = Screen()
        let display = screen.display(rows: 6)
        let names = (0..<50).map { "{name: s\($0), template: t}" }.joined(separator: ", ")
        var run = try run("[\(names)]")
        _ = run.start(at: Timestamp.now)
        let running = try #require(run.allNodes.first { $0.displayName == "s7" })
        run.podStarted(running.id, at: Timestamp.now)
        display.show(run)
        let lines = screen.text.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines.contains { $0.contains(" s7 ") })
        #expect(lines.last?.contains("47 more") == true)
    }
}
