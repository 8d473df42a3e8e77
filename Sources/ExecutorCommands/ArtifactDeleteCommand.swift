import ArtifactCollection
import Artifacts
import CommandLineInterface
import Executor
import Glibc
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `artifact delete`: deletes the artifacts that the controller lists in the pod's tasks (contract 02 §14).
    static let artifactDelete = Command("artifact delete", "Delete the artifacts of a workflow") { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        umask(0)
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            // Before any thread is started, so that the signal is blocked in every thread.
            let signals = try SignalDescriptor([SIGTERM])
            let context = try ExecutorContext(environment, log: log)
            context.announce("artifact delete", log)
            let settings = GarbageCollection.Settings(
                podLabel: environment[.artifactPodName],
                attempts: try .defaultRetry(environment, orFail: StartFailure.fatal),
                pluginContainers: context.settings.artifactPluginContainers, gracePeriod: context.settings.gracePeriod,
                runDirectory: context.settings.paths.runDirectory)
            // The client flags are for the other modes: this one knows its namespace by a variable of its own (contract 04 §6).
            let cluster = ClusterServices(
                environment.nonEmpty(.namespace).map { ["namespace": [$0]] } ?? [:], environment, trust: context.trust,
                proxy: context.proxy, isTransientText: context.drivers.isTransientText, log: log)
            let collection = GarbageCollection(settings, client: cluster.client(), drivers: context.drivers, log: log)
            try stoppingOnce(by: signals) { collection.stop() }
            try collection.run()
            return ExitCode.success
        }
    }
}
