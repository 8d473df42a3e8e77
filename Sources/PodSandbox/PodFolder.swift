import FileTrees
package import SystemSupport

/// What a pod leaves on the disk, `runs/WORKFLOW-XXXXX/NODE/`: all that is needed to look into it and to run it again.
package struct PodFolder: Sendable, Equatable {
    package let path: BytePath

    package init(_ path: BytePath) { self.path = path }

    /// The pod as it was run.
    package var pod: BytePath { path.appending("pod.json") }
    /// Where the executor reports to in the place of an API server.
    package var taskResult: BytePath { path.appending("taskresult.json") }
    /// The same file as the executor's containers see it.
    package static let taskResultInSandbox: BytePath = "/.argoexec/node/taskresult.json"
    /// The config map that was made for the pod.
    package var configMap: BytePath { path.appending("configmap.json") }
    package var volumes: BytePath { path.appending("volumes") }
    package var containers: BytePath { path.appending("ctr") }
    /// There while the pod runs: see `PodLock`.
    var lock: BytePath { path.appending("playing") }
    /// Secrets as files, where this machine has no file system in memory for them.
    var secrets: BytePath { path.appending("secrets") }

    /// A volume of the pod's own: `emptyDir` and what is made of secrets, config maps and the pod's own fields.
    package func volume(_ name: String) -> BytePath { volumes.appending(BytePath(name)) }

    package func container(_ name: String) -> ContainerFolder {
        ContainerFolder(path: containers.appending(BytePath(name)))
    }

    /// Removes the folder with all in it.
    package func remove() throws(SystemError) { try TreeRemoval.remove(path) }

    /// Removes what an earlier run has left, but not the pod itself, and makes folders that only we can enter: in them are secrets
    /// while the pod runs, and perhaps programs with setuid bits.
    func prepare() throws(SystemError) {
        try TreeRemoval.remove(taskResult)
        try TreeRemoval.remove(secrets)
        for part in [volumes, containers] {
            try TreeRemoval.remove(part)
            try DirectoryIO.makeDirectories(part, mode: 0o700)
        }
    }

    /// Removes the containers' own root file systems, of which each may be a copy of a whole image.
    func removeRoots(of containers: [String]) throws(SystemError) {
        for name in containers { try TreeRemoval.remove(container(name).root) }
    }
}

/// The part of a pod's folder that belongs to one container.
package struct ContainerFolder: Sendable, Equatable {
    package let path: BytePath

    /// What the container saw as `/`, without what was mounted there.
    package var root: BytePath { path.appending("root") }
    /// Standard output and standard error, as they came.
    package var log: BytePath { path.appending("log") }
    package var terminationLog: BytePath { path.appending("termination-log") }
    /// How it ended, in the shape of a pod's container status.
    package var status: BytePath { path.appending("status.json") }
}
