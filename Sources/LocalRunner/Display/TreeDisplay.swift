import ProcessControl
import SystemSupport
import WorkflowEngine
import WorkflowPlanning

/// A tree of steps at the bottom of a terminal, drawn anew as things happen; what containers print scrolls above it.
final class TreeDisplay: RunDisplay {
    let log: Log
    private let write: ([UInt8]) -> Void
    private let size: () -> (rows: Int, columns: Int)
    private let style: TreeStyle
    private var labels = NodeLabels()
    private var notes = ExecutorNotes()
    private var transfers: [String: TransferLine] = [:]
    /// Text that is to stand above the tree.
    private var pending: [UInt8] = []
    /// How many lines the tree takes now.
    private var drawn = 0
    private var frame = 0
    private var lastTime: Int64 = 0
    private var isOver = false

    /// Between two drawings, nanoseconds.
    private static let interval: Int64 = 100_000_000

    init(
        log: Log, style: TreeStyle, size: @escaping () -> (rows: Int, columns: Int), write: @escaping ([UInt8]) -> Void
    ) {
        self.log = log
        self.style = style
        self.size = size
        self.write = write
    }

    var nextRefresh: Int64? { isOver ? nil : lastTime + Self.interval }

    func begin(name: String, folder: BytePath) {}

    func note(_ text: String) { pending += Array((text + "\n").utf8) }

    func line(node: Node?, container: String, isExecutor: Bool, _ bytes: [UInt8]) {
        let label = node.map { labels.known($0) } ?? ""
        if isExecutor {
            if let text = notes.text(of: bytes, from: "\(label) \(container)") {
                pending += TreeStyle.harmless(Array(text.utf8)) + [0x0A]
            }
            if let node, let transfer = TransferLine(bytes) { transfers[node.id] = transfer.isOver ? nil : transfer }
            return
        }
        pending += Array("\(label)\(container == "main" ? "" : " \(container)") | ".utf8) + TreeStyle.harmless(bytes) + [0x0A]
    }

    func show(_ run: WorkflowRun) {
        isOver = run.finishedAt != nil
        let now = monotonicNanoseconds()
        if !isOver, now - lastTime < Self.interval { return }
        lastTime = now
        frame += 1
        let (rows, columns) = size()
        var lines = tree(of: run)
        if !isOver, lines.count > rows - 1 { lines = shortened(lines, to: max(1, rows - 1)) }
        var text = drawn > 0 ? Array("\u{1B}[\(drawn)A\r\u{1B}[J".utf8) : []
        text += pending
        pending = []
        for line in lines { text += Array((line.text(style, columns: columns) + "\n").utf8) }
        drawn = isOver ? 0 : lines.count
        write(text)
    }

    /// Where there is no room for all: what is running, then what came last.
    private func shortened(_ lines: [TreeLine], to count: Int) -> [TreeLine] {
        let running = lines.indices.filter { lines[$0].phase == .running }
        var kept = Set(running.prefix(count - 1))
        for index in lines.indices.reversed() where kept.count < count - 1 { kept.insert(index) }
        let rest = TreeLine(depth: 0, phase: .omitted, label: "\(lines.count - kept.count) more", details: "")
        return lines.indices.filter { kept.contains($0) }.map { lines[$0] } + [rest]
    }

    private func tree(of run: WorkflowRun) -> [TreeLine] {
        var children: [String: [Node]] = [:]
        for node in run.allNodes where ![.stepGroup, .taskGroup].contains(node.type) || node.boundaryID.isEmpty {
            _ = labels.label(of: node, in: run)
            children[node.boundaryID, default: []].append(node)
        }
        var lines: [TreeLine] = []
        func add(_ node: Node, _ depth: Int) {
            lines.append(TreeLine(depth: depth, phase: node.phase, label: node.displayName, details: details(of: node)))
            for child in children[node.id] ?? [] { add(child, depth + 1) }
        }
        for root in children[""] ?? [] { add(root, 0) }
        for index in lines.indices { lines[index].frame = frame }
        return lines
    }

    private func details(of node: Node) -> String {
        var parts = [node.phase.rawValue]
        if node.phase != .pending, node.phase != .omitted {
            parts.append(durationText(nanoseconds(from: node.startedAt, to: node.finishedAt ?? Timestamp.now)))
        }
        if !node.progress.isEmpty, node.phase == .running { parts.append(node.progress) }
        if node.phase == .running || node.phase == .pending, let transfer = transfers[node.id] {
            parts.append(style.text(of: transfer))
        }
        if !node.message.isEmpty { parts.append(node.message) }
        return parts.joined(separator: "  ")
    }
}

/// One line of the tree.
struct TreeLine {
    let depth: Int
    let phase: NodePhase
    let label: String
    let details: String
    var frame = 0

    /// The line, not wider than the terminal.
    func text(_ style: TreeStyle, columns: Int) -> String {
        let indent = String(repeating: "  ", count: depth)
        let name = "\(label)"
        let padding = String(repeating: " ", count: max(2, 32 - indent.count - name.count))
        let room = max(0, columns - 3)
        let body = String("\(indent)\(name)\(padding)\(details)".map { $0.isNewline ? " " : $0 }.prefix(room))
        return "\(style.mark(of: phase, frame: frame)) \(body)"
    }
}

/// What a terminal can show.
struct TreeStyle {
    let isUnicode: Bool
    let isColored: Bool

    private static let spinner = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    private static let plainSpinner = Array("|/-\\")

    func mark(of phase: NodePhase, frame: Int) -> String {
        switch phase {
        case .running: colored(String(isUnicode ? Self.spinner[frame % 10] : Self.plainSpinner[frame % 4]), 36)
        case .succeeded: colored(isUnicode ? "✔" : "+", 32)
        case .failed, .error: colored(isUnicode ? "✖" : "x", 31)
        case .pending: isUnicode ? "◷" : "."
        case .skipped, .omitted: isUnicode ? "○" : "o"
        }
    }

    private func colored(_ text: String, _ color: Int) -> String { isColored ? "\u{1B}[\(color)m\(text)\u{1B}[0m" : text }

    /// A transfer with its bar.
    func text(of transfer: TransferLine) -> String {
        let name = BytePath(transfer.subject).base.text
        var text = "\(transfer.isLoading ? "loading" : "saving") \(name) "
        if let total = transfer.total, total > 0 {
            let filled = Int(max(0, min(20, transfer.bytes / max(1, total / 20))))
            let (full, empty) = isUnicode ? ("█", "░") : ("#", "-")
            text += String(repeating: full, count: filled) + String(repeating: empty, count: 20 - filled)
            text += " \(sizeText(transfer.bytes)) of \(sizeText(total))"
        } else {
            text += sizeText(transfer.bytes)
        }
        return text + "  \(transfer.rate) MB/s"
    }

    /// Bytes that cannot move a terminal's cursor: other control characters than tabs are shown as dots.
    static func harmless(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F ? UInt8(ascii: ".") : $0 }
    }
}
