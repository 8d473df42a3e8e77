package import ExecutorCore
import Glibc

/// The volume shared by the executor and the emissaries of a pod, and the files that they speak through (contract 01 §7).
///
/// Files whose existence is a message appear whole: written aside, then renamed.
package struct RunDirectory: Sendable {
    /// Where the volume is mounted.
    package let root: BytePath

    package init(root: BytePath = "/var/run/argo") { self.root = root }

    /// The copy of our own program that user containers run.
    package var binary: BytePath { root.appending("argoexec") }
    /// The template as JSON.
    package var template: BytePath { root.appending("template") }
    /// The supervisor's status marker (init-less pods).
    package var status: BytePath { root.appending("status") }
    /// Where user code tells its progress unless told otherwise.
    package var progress: BytePath { root.appending("progress") }
    /// Those of our own variables that `init` was given, for the emissaries.
    package var settings: BytePath { root.appending("settings") }
    /// What the emissary of `main` saved for the executor.
    package var outputs: BytePath { root.appending("outputs") }
    /// Parent of the containers' directories.
    package var containers: BytePath { root.appending("ctr") }

    /// The directory of a container; an empty name means the parent of all (a container that the controller did not build).
    package func container(_ name: String) -> ContainerDirectory {
        ContainerDirectory(name: name, path: name.isEmpty ? containers : containers.appending(BytePath(name)))
    }

    /// Writes the template, mode 0444.
    package func writeTemplate(_ json: [UInt8]) throws(SystemError) {
        try AtomicFile.write(template, json, mode: 0o444)
    }

    /// The template as `init` or the supervisor wrote it; nil where there is none.
    package func readTemplate() throws(SystemError) -> [UInt8]? { try AtomicFile.readIfPresent(template) }
}
