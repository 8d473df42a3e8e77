import Artifacts
package import SystemSupport

/// Where plugins are met (contract 01 §6, 03 §6.10); a test has other places.
package struct PluginPlaces: CloudSettings {
    /// Holds `NAME/socket` for each plugin.
    package var sockets: BytePath = "/tmp/artifact-plugins"
    /// Seen by plugins under the same name: what they save is laid out there.
    package var staging: BytePath = "/tmp/argo/outputs"
    /// How long a socket is waited for, nanoseconds.
    package var patience: Int64 = 120_000_000_000

    package init(_ environment: Environment) {
        guard let time = environment.nonEmpty(.pluginWait).flatMap({ GoDuration.nanoseconds($0) }), time > 0 else { return }
        patience = time
    }

    /// The folder of one plugin's socket.
    package func folder(of plugin: String) -> BytePath { sockets.appending(BytePath(plugin)) }
}
