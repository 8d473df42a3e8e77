extension LocalRunSettings {
    /// Of the flags of `run` one that cannot do anything together with the others, as a sentence; nil for none. What is asked for
    /// and not done must never go unsaid.
    package var flagWithoutEffect: String? {
        guard replay != nil else { return usesOwnStore ? "--own-store has no effect without --from" : nil }
        let given: [(String, Bool)] = [
            ("a workflow file", !files.isEmpty), ("--entrypoint", entrypoint != nil), ("--parameter", !parameters.isEmpty),
            ("--artifact", !artifacts.isEmpty), ("--artifact-repository", repository != nil), ("--pause", !pauses.isEmpty),
            ("--parallelism", parallelism != nil), ("--print-pods", printsPods), ("--workflow", workflow != nil),
            ("--max-nodes", maximumNodes != nil),
        ]
        return given.first { $0.1 }.map { "\($0.0) has no effect with --from: the pod is run as it is" }
    }

    /// The same for `collect` from a folder whose manifest says what the step is.
    var flagWithoutEffectOnManifest: String? {
        let given: [(String, Bool)] = [
            ("--template", entrypoint != nil), ("--parameter", !parameters.isEmpty), ("--artifact", !artifacts.isEmpty),
        ]
        return given.first { $0.1 }.map { "\($0.0) has no effect without a file: the folder's manifest says what the step is" }
    }
}
