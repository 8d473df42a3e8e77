import CommandLineInterface
import LocalRunner
import SystemSupport

extension Command<GlobalSettings> {
    /// `collect [FILE] --dir DIR`: stores the outputs of one template, or of a pod, from a folder.
    static let collect = Command(
        "collect", "Store a step's outputs from a folder", usage: "[FILE] --dir DIR", settings: { LocalRunSettings() },
        flags: StepFolderFlags.all
    ) { call in
        guard call.words.count <= 1 else { throw UsageError.words("collect: expected one file, of a workflow or of a pod") }
        return try useStepFolder("collect", call) { session in
            let (text, errors) = try session.collect()
            StandardStreams.print(text)
            return errors
        }
    }
}
