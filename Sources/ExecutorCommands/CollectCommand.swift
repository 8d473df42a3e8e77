import CommandLineInterface
import LocalRunner
import SystemSupport

extension Command<GlobalSettings> {
    /// `collect [FILE] --dir DIR`: stores the outputs of one template, or of a pod, from a folder.
    static let collect = Command(
        "collect", "Store a step's outputs from a folder", usage: "[FILE] --dir DIR", settings: { LocalRunSettings() },
        flags: StepHalfFlags.all
    ) { call in
        guard call.words.count <= 1 else { throw UsageError.words("collect: expected one file, of a workflow or of a pod") }
        return try runHalf("collect", call) { half in
            let (text, errors) = try half.collect()
            StandardStreams.print(text)
            return errors
        }
    }
}
