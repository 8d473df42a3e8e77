import Archiving
import Artifacts
import SystemSupport
import Tracing
import WorkflowModel

/// Loads the input artifacts, independent ones side by side (contract 03 §2).
struct InputStager: Sendable {
    let step: StepContext
    let unpacking: UnpackOptions
    private var paths: ExecutorPaths { step.settings.paths }

    /// Artifacts loaded side by side at most; their connections come from one budget.
    static let width = 8

    /// Loads all input artifacts that no plugin loads.
    ///
    /// - Throws: of several failures the first in the template's order.
    func stage() throws {
        try Trace.span("loadArtifacts") { try load(try plans().filter { !$0.isPlugin }) }
    }

    /// Loads those of one plugin.
    ///
    /// - Throws: of several failures the first in the template's order.
    func stage(plugin name: String) throws {
        try Trace.span("loadArtifacts") {
            try load(try plans().filter { $0.isPlugin && $0.location.plugin?.name == name })
        }
    }

    /// What is to be loaded, and to where.
    ///
    /// - Throws: for the first artifact that cannot be loaded as it stands.
    func plans() throws -> [InputPlan] {
        let artifacts = step.template.inputArtifacts
        var plans: [InputPlan] = []
        for (index, artifact) in artifacts.enumerated() {
            if let plan = try InputPlan(artifact, index: index, template: step.template, paths: paths) {
                plans.append(plan)
            } else {
                step.log.info("optional artifact is not supplied", ["artifact": .text(artifact.name)])
            }
        }
        let destinations = plans.map(\.destination)
        for index in plans.indices { plans[index].destination = destinations[index].beside(destinations) }
        if paths.mirrorsEverything {
            // As the kubelet mounts them: what lies in another comes after it.
            plans.sort { ($0.target.components.count, $0.index) < ($1.target.components.count, $1.index) }
            for index in plans.indices { plans[index].index = index }
        }
        return plans
    }

    /// Loads some of the planned artifacts.
    ///
    /// - Throws: of several failures the first in the template's order.
    func load(_ plans: [InputPlan]) throws {
        let chains = Self.chains(plans)
        let loader = ArtifactLoader(drivers: step.drivers, unpacking: unpacking, log: step.log)
        try Parallel.forEach(count: chains.count, width: Self.width) { index in
            for plan in chains[index] { try loader.load(plan) }
        }
    }

    /// Groups what must keep the template's order: artifacts whose targets lie in one another. Groups are sorted by their first
    /// artifact.
    static func chains(_ plans: [InputPlan]) -> [[InputPlan]] {
        var chains: [[InputPlan]] = []
        for plan in plans {
            let touching = chains.indices.filter { index in
                chains[index].contains { $0.target.isAtOrBelow(plan.target) || plan.target.isAtOrBelow($0.target) }
            }
            guard let first = touching.first else {
                chains.append([plan])
                continue
            }
            let merged = (touching.flatMap { chains[$0] } + [plan]).sorted { $0.index < $1.index }
            for index in touching.dropFirst().reversed() { chains.remove(at: index) }
            chains[first] = merged
        }
        return chains
    }
}

/// One input artifact, with everything decided before a byte moves.
struct InputPlan: Sendable {
    let artifact: Artifact
    /// Its place in the order of loading.
    var index: Int
    /// The artifact's complete location.
    let location: ArtifactLocation
    var destination: InputDestination

    /// Where it ends up.
    var target: BytePath { destination.target }
    var isPlugin: Bool { location.kind == .plugin }

    /// Steps 1 to 3 and 6 of contract 03 §2; nil for an optional artifact that is not supplied.
    init?(_ artifact: Artifact, index: Int, template: Template, paths: ExecutorPaths) throws {
        guard artifact.location.hasLocationOrKey else {
            if artifact.optional { return nil }
            throw ExecutorError.notFound("required artifact '\(artifact.name)' not supplied")
        }
        do {
            let path = try PathRules.cleanPath(artifact.path)
            location = try artifact.location.relocated(to: template.archiveLocation)
            let mounts = template.declaredVolumeMounts
            if paths.mirrorsEverything {
                destination = InputDestination(kind: .folder, root: paths.mirror, path: BytePath(path).belowRoot)
            } else if PathRules.overlappingVolume(path: path, mounts: mounts) != nil {
                let mounts = mounts.filter { !$0.mountPath.isEmpty }.map {
                    InputDestination.Mount(path: BytePath($0.mountPath).cleaned, isReadOnly: $0.isReadOnly)
                }
                destination = InputDestination(
                    kind: .volume(mounts: mounts), root: paths.mirror, path: BytePath(path).belowRoot)
            } else {
                destination = InputDestination(
                    kind: .inputs, root: paths.inputArtifacts, path: BytePath(artifact.name))
            }
        } catch {
            throw ExecutorError.wrapping("load artifact '\(artifact.name)'", error)
        }
        self.artifact = artifact
        self.index = index
    }
}
