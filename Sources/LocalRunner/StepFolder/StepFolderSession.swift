import Archiving
package import Artifacts
import Documents
import Executor
import FileTrees
import Glibc
import PodBuilding
import PodSandbox
import Synchronization
package import SystemSupport
import WorkflowFiles
import WorkflowModel

/// Staging or collecting of one step alone, on a folder: `root` in it is the root of the user's container, `manifest.json` says what the step is.
package final class StepFolderSession: Sendable {
    private let settings: LocalRunSettings
    private let folder: BytePath
    private let makeDrivers: @Sendable (_ store: LocalStore, _ secrets: BytePath) -> DriverContext
    private let warn: @Sendable (String) -> Void
    private let log: Log
    private let drivers = Mutex<DriverContext?>(nil)
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - folder: the step's; `stage` wants it empty or absent.
    ///   - drivers: what the requests to stores need.
    ///   - warn: takes what is suspicious in the files.
    package init(
        _ settings: LocalRunSettings, folder: BytePath, log: Log,
        drivers: @escaping @Sendable (_ store: LocalStore, _ secrets: BytePath) -> DriverContext,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.settings = settings
        self.folder = folder
        self.log = log
        makeDrivers = drivers
        self.warn = warn
    }

    /// Ends all transfers. May be called from any thread.
    package func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        drivers.withLock { $0?.cancel() }
    }

    package var isInterrupted: Bool { isStopped.load(ordering: .sequentiallyConsistent) }

    /// Brings the inputs, and only these.
    ///
    /// - Returns: what there is to print.
    /// - Throws: the first error of reading or staging.
    package func stage() throws -> String {
        try settings.objects.checkFolders()
        if let place = try? SharedPlace(folder), try !place.isEmpty() {
            throw ExecutorError.badRequest("stage into \(folder): the folder is not empty")
        }
        let source = try StepSource(settings)
        for warning in source.warnings { warn(warning.message) }
        let place = try Place(source.step, settings)
        let drivers = use(place)
        if let plan = source.plan {
            for (artifact, location) in source.arguments {
                let isOwn = settings.objects.secrets == nil && !place.isEmbedded
                try artifact.save(
                    to: isOwn ? location.takingSDKCredentials() : location, for: plan, drivers: drivers)
            }
        }
        if isInterrupted { throw ExecutorError.failed("stage into \(folder): interrupted") }
        let (manifest, inputs) = try filling { opened in
            let step = try folderStep(place.step, drivers)
            let inputs = try step.stage(unpacking: UnpackOptions(Environment.current(), log: log))
            let listed = inputs.map { input -> JSONValue in
                let file = BytePath(bytes: input.file.bytes.dropFirst(folder.bytes.count + 1))
                return ["name": .string(input.name), "path": .string(input.path), "file": .string(file.text)]
            }
            let manifest = StepManifest(step: source.step, inputs: listed)
            try manifest.write(in: opened)
            return (manifest, inputs)
        }
        if settings.output == .json { return manifest.document.serializedText() + "\n" }
        return inputs.map { "input \($0.name): \($0.file)\n" }.joined() + (inputs.isEmpty ? "no inputs\n" : "")
    }

    /// Makes the folder and `root` in it, and removes what was made where `body` fails, so that it can be tried again.
    private func filling<R>(_ body: (SharedPlace) throws -> R) throws -> R {
        let isNew = (try? SharedPlace(folder)) == nil
        // What the user has named is trusted.
        let opened = try SharedPlace(making: folder, mode: 0o755)
        // Fails if it has been made meanwhile.
        try opened.directory.makeDirectory(FolderStep.root, mode: 0o755)
        do { return try body(opened) } catch {
            try? opened.remove(FolderStep.root)
            try? opened.unlink(StepManifest.name)
            if isNew { try? SharedPlace(folder.directory).directory.removeDirectory(folder.base) }
            throw error
        }
    }

    /// Stores the outputs, and only these.
    ///
    /// - Returns: what there is to print, and every error on the way.
    /// - Throws: what keeps it from beginning.
    package func collect() throws -> (text: String, errors: [any Error]) {
        try settings.objects.checkFolders()
        let manifest = try StepManifest(in: folder)
        let step: StepPod
        if settings.files.isEmpty {
            guard let manifest else {
                throw ExecutorError.badRequest("collect from \(folder): it has no manifest.json: give the file of the step")
            }
            if let conflict = settings.flagWithoutEffectOnManifest {
                throw ExecutorError.badRequest("collect from \(folder): \(conflict)")
            }
            step = try settings.repository.map { try manifest.step.moved(to: try ArtifactRepository.read($0)) } ?? manifest.step
        } else {
            // The same keys as when it was staged.
            let source = try StepSource(settings, workflow: manifest?.step.environment.nonEmpty(.workflowName))
            for warning in source.warnings { warn(warning.message) }
            step = source.step
        }
        let place = try Place(step, settings)
        let (outputs, errors) = try folderStep(place.step, use(place)).collect()
        if settings.output == .json { return (outputs.document.serializedText() + "\n", errors) }
        let lines = OutputLines(store: place.isEmbedded ? place.store : nil, home: step.template.archiveLocation)
        return (lines.lines(outputs.document.object ?? [:]).map { $0 + "\n" }.joined(), errors)
    }

    private func folderStep(_ step: StepPod, _ drivers: DriverContext) throws -> FolderStep {
        FolderStep(
            template: step.template, settings: try ExecutorSettings(step.environment), folder: folder, drivers: drivers,
            log: log)
    }

    private func use(_ place: Place) -> DriverContext {
        let made = makeDrivers(place.standIn, settings.objects.secrets ?? SecretFiles.noFolder)
        drivers.withLock { $0 = made }
        if isInterrupted { made.cancel() }
        return made
    }

    /// Where a step's artifacts are.
    private struct Place {
        /// With keys for S3 from the environment, where no folder of secrets was given.
        let step: StepPod
        let store: EmbeddedStore
        let standIn: LocalStore
        let isEmbedded: Bool

        init(_ step: StepPod, _ settings: LocalRunSettings) throws {
            let work = try WorkFolder(in: settings.home)
            store = EmbeddedStore(folder: work.artifacts, cache: work.unpacked)
            let embedded = EmbeddedStore.repository?.location
            standIn = LocalStore(folder: work.path, original: embedded)
            let home = step.template.archiveLocation
            isEmbedded =
                home.flatMap { LocalStore.place(of: $0)?.endpoint } == embedded.flatMap { LocalStore.place(of: $0)?.endpoint }
            if isEmbedded { try work.prepare(isShared: geteuid() == 0) }
            guard settings.objects.secrets == nil, !isEmbedded, let home else {
                self.step = step
                return
            }
            let location = JSONValue.object(try home.takingSDKCredentials().document)
            self.step = StepPod(template: try step.template.settingArchiveLocation(location), variables: step.variables)
        }
    }
}
