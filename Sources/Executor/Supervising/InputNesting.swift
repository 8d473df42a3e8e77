import FileTrees
import Glibc
import SystemSupport
import WorkflowModel

/// Inputs that have their place inside other inputs, in a pod whose inputs are links (contract 02 §4.7).
///
/// The emissary would have to make the link inside the outer input, which main's user may not write to. The supervisor, who owns it,
/// makes the same link, and the emissary finds it there.
struct InputNesting {
    /// Where the inputs are, in the supervisor's container and in main's alike.
    let inputs: BytePath
    let log: Log

    /// Links each input into the deepest one that has its place above. What cannot be linked is left for the emissary, who tells why.
    func link(_ plans: [InputPlan]) {
        let placed = plans.filter { $0.destination.kind == .inputs }
            .map { (name: BytePath($0.artifact.name), path: BytePath($0.artifact.path).cleaned) }
        for inner in placed {
            let outer = placed.filter { $0.path != inner.path && inner.path.isAtOrBelow($0.path) }
                .max { $0.path.components.count < $1.path.components.count }
            guard let outer else { continue }
            let path = BytePath.joining(inner.path.components.dropFirst(outer.path.components.count))
            do throws(SystemError) { try nest(path, in: outer.name, to: inner.name) } catch {
                log.debug("an input inside another one is left to the emissary", ["error": .error(error)])
            }
        }
    }

    private func nest(_ path: BytePath, in outer: BytePath, to inner: BytePath) throws(SystemError) {
        let place = try SharedPlace(inputs)
        guard try place.statusIfPresent(inner) != nil, try place.statusIfPresent(outer)?.kind == .directory else { return }
        let tree = try place.place(outer)
        if path.components.count > 1 { try tree.makeDirectories(path.directory, mode: 0o755) }
        if try tree.statusIfPresent(path) != nil { try tree.remove(path) }
        try tree.symlink(path, to: inputs.appending(inner))
    }
}
