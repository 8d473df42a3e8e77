import Documents
import PodSandbox
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// One step run again, by itself.
struct ReplaySession {
    let source: ReplaySource
    let settings: LocalRunSettings
    let output: ([UInt8]) -> Void
    let say: (String) -> Void

    /// Runs the pod to its end.
    ///
    /// - Parameters:
    ///   - store: stands in for the store of the pod's archive location; nil: artifacts go where the pod says.
    /// - Returns: the exit code.
    func run(
        _ podRuntime: PodRuntime, in folder: PodFolder, store: EmbeddedStore?, mailbox: RunMailbox, isShared: Bool, log: Log
    )
        throws -> Int32
    {
        var attachment = folder.attachment
        if let store, let location = source.template?.archiveLocation, let more = store.attachment(for: location) {
            attachment = attachment.adding(more)
        }
        let workers = PodWorkers(
            podRuntime: podRuntime, mailbox: mailbox, width: 1, keepsFolders: settings.keepsFolders || source.folder != nil,
            isShared: isShared,
            executorImage: source.executorImage, log: log)
        let node = source.annotation("node-id")
        let names = source.template?.mainContainerNames ?? ["main"]
        let started = Timestamp.now
        workers.start(PodJob(nodeID: node, pod: source.pod, mainNames: names, folder: folder, attachment: attachment))
        var end: PodEnd?
        var isInterrupted = false
        var notes = ExecutorNotes()
        while end == nil {
            for event in mailbox.take(until: nil) {
                switch event {
                case .podStarted, .typed: break
                case .line(_, let container, let isExecutor, let bytes):
                    if !isExecutor {
                        say("\(container) | \(String(decoding: bytes, as: UTF8.self))")
                    } else if let text = notes.text(of: bytes, from: container) {
                        say(text)
                    }
                case .podFinished(_, let found): end = found
                case .interrupted:
                    isInterrupted = true
                    workers.stop(node)
                }
            }
        }
        workers.waitForEnd()
        guard let end else { return ExitCode.verbFailure }
        tell(end, node: node, started: started, store)
        if isInterrupted { return ExitCode.interrupted }
        return end.result.phase == .succeeded ? ExitCode.success : ExitCode.verbFailure
    }

    private func tell(_ end: PodEnd, node: String, started: Timestamp, _ store: EmbeddedStore?) {
        let time = durationText(nanoseconds(from: started, to: Timestamp.now))
        if let folder = end.folder { say("kept in \(folder)") }
        let message = end.result.message.isEmpty ? "" : ": \(end.result.message)"
        say("\(source.annotation("node-name")): \(end.result.phase.rawValue) in \(time)\(message)")
        var outputs = end.result.outputs
        outputs?.exitCode = end.result.exitCode.map(String.init)
        switch settings.output {
        case .text:
            if let result = outputs?.result { print("result: \(result)") }
            for parameter in outputs?.parameters ?? [] {
                if let value = parameter.value { print("parameter \(parameter.name): \(value)") }
            }
            for artifact in outputs?.artifacts ?? [] {
                let key = (try? artifact.location.key()) ?? ""
                let isHere = store != nil && !artifact.location.hasLocation
                print("artifact \(artifact.name): \(isHere ? store?.path(ofKey: key).text ?? key : key)")
            }
        case .json:
            var document: JSONObject = [
                "id": .string(node), "name": .string(source.annotation("node-name")), "type": "Pod",
                "phase": .string(end.result.phase.rawValue), "startedAt": .string(started.rfc3339()),
                "finishedAt": .string(Timestamp.now.rfc3339()),
            ]
            if !end.result.message.isEmpty { document["message"] = .string(end.result.message) }
            document["outputs"] = outputs?.document
            print(JSONValue.object(document).serializedText())
        }
    }

    private func print(_ line: String) { output(Array((line + "\n").utf8)) }
}
