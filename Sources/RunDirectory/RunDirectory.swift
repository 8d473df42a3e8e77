package import FileTrees
import Glibc
package import SystemSupport

/// The volume shared by the executor and the emissaries of a pod, and the files that they speak through (contract 01 §7).
///
/// Files whose existence is a message appear whole: written aside, then renamed. Every container of the pod can write anything here
/// at any moment, so that all is done through `place`, where no link is followed.
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

    /// A template is read up to this size, in bytes: what the API server takes is a fifth of it.
    package static let templateLimit = 8 << 20
    /// Bytes of an output parameter at most. One that is larger than what the API server takes in one request would only lose the
    /// others.
    package static let parameterLimit = 3 << 20

    /// The directory of a container; an empty name means the parent of all (a container that the controller did not build).
    package func container(_ name: String) -> ContainerDirectory {
        ContainerDirectory(name: name, path: name.isEmpty ? containers : containers.appending(BytePath(name)), run: self)
    }

    // MARK: The way in

    /// The volume, opened: as it is at this moment, should it have been mounted anew.
    package func place() throws(SystemError) -> SharedPlace { try SharedPlace(root) }

    /// The same, made where it is missing, mode 0777: a container without the volume runs too.
    package func placeMaking() throws(SystemError) -> SharedPlace { try SharedPlace(making: root, mode: 0o777, isExact: true) }

    /// One of the paths above as `place` takes it.
    package func relative(_ path: BytePath) -> BytePath {
        BytePath(bytes: path.bytes.dropFirst(root.bytes.count).drop { $0 == UInt8(ascii: "/") })
    }

    /// Whether something has one of the names above; a link counts as itself.
    package func exists(_ path: BytePath) -> Bool { (try? place())?.exists(relative(path)) ?? false }

    /// The content of a regular file, or nil where there is none.
    package func readIfPresent(_ path: BytePath, limit: Int) throws(SystemError) -> [UInt8]? {
        do { return try place().readIfPresent(relative(path), limit: limit) } catch  where error.code == ENOENT { return nil }
    }

    /// Writes a file atomically.
    package func write(_ path: BytePath, _ bytes: [UInt8], mode: UInt32) throws(SystemError) {
        try placeMaking().write(relative(path), bytes, mode: mode)
    }

    /// Removes what killed processes of ours have left beside the files above.
    package func sweep() { (try? place())?.sweep() }

    // MARK: The template

    /// How long a reader has patience with something in the template's place that is no file, in nanoseconds.
    package static let templatePatience: Int64 = 3_000_000_000

    /// Whether something stands in the template's place that is no file. Whoever replaces the template may be between two steps, so
    /// that it is worth another look; and a reader that goes at once takes the step's outputs with it.
    package var isTemplateNoFile: Bool {
        guard let status = try? place().status(relative(template)) else { return false }
        return status.kind != .file
    }

    /// Writes the template, mode 0444.
    package func writeTemplate(_ json: [UInt8]) throws(SystemError) { try write(template, json, mode: 0o444) }

    /// The template as `init` or the supervisor wrote it; nil where there is none.
    ///
    /// - Throws: EFBIG beyond `templateLimit`, ELOOP for a link, EISDIR or EINVAL for what is no file.
    package func readTemplate() throws(SystemError) -> [UInt8]? {
        try readIfPresent(template, limit: Self.templateLimit)
    }
}
