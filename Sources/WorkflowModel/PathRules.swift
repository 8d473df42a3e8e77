import SystemSupport

/// The rules for paths of artifacts and parameters in the user's container (contract 03 §1).
package enum PathRules {
    /// The path in its shortest form, without a slash at its end.
    ///
    /// - Throws: `ModelError` for an empty path, one with a NUL, and one that leaves by `..` the directory before its first `..`.
    package static func cleanPath(_ path: String) throws(ModelError) -> String {
        if path.isEmpty { throw .badPath(path, "it is empty") }
        if path.utf8.contains(0) { throw .badPath(path.filter { $0 != "\0" }, "it contains a NUL") }
        let cleaned = BytePath(path).cleaned
        if cleaned.components.first == ".." { throw .badPath(path, "directory traversal") }
        if let safe = beforeFirstParent(Array(path.utf8)), !safe.isEmpty {
            let safe = safe.cleaned
            if cleaned == safe || !cleaned.isAtOrBelow(safe) { throw .badPath(path, "directory traversal") }
        }
        return cleaned.text
    }

    /// What stands before the first `/../`, or before a `/..` at the end; nil where there is neither.
    private static func beforeFirstParent(_ bytes: [UInt8]) -> BytePath? {
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        for index in bytes.indices where bytes[index...].starts(with: [slash, dot, dot]) {
            if index + 3 == bytes.count || bytes[index + 3] == slash { return BytePath(bytes: bytes[..<index]) }
        }
        return nil
    }

    /// The deepest volume mount that a path is, or lies below; both sides are cleaned.
    package static func overlappingVolume(path: String, mounts: [VolumeMount]) -> VolumeMount? {
        let path = BytePath(path).cleaned
        var deepest: (mount: VolumeMount, length: Int)?
        for mount in mounts where !mount.mountPath.isEmpty {
            let mountPath = BytePath(mount.mountPath).cleaned
            if path.isAtOrBelow(mountPath), mountPath.bytes.count > deepest?.length ?? -1 {
                deepest = (mount, mountPath.bytes.count)
            }
        }
        return deepest?.mount
    }

    /// Where the data of an output path is found (contract 03 §3.1). The emissary and the collecting side both ask here.
    ///
    /// An optional input that was not supplied is no mount, so that what lies below it is the image's own too.
    ///
    /// - Parameter isInitless: whether the pod has the layout in which inputs are links rather than mounts.
    package static func origin(ofOutput path: String, in template: Template, isInitless: Bool) -> OutputOrigin {
        if let mount = overlappingVolume(path: path, mounts: template.declaredVolumeMounts) {
            return .mirror(mountPath: mount.mountPath)
        }
        let cleaned = BytePath(path).cleaned
        for input in template.inputArtifacts where !input.path.isEmpty {
            guard cleaned.isAtOrBelow(BytePath(input.path).cleaned) else { continue }
            let isAbsent = input.optional && !input.location.hasLocationOrKey
            return isInitless || isAbsent ? .baseImage : .mirror(mountPath: input.path)
        }
        return .baseImage
    }
}

/// Where the data of an output is found.
package enum OutputOrigin: Sendable, Equatable {
    /// In the user's own file system: the emissary has packed it.
    case baseImage
    /// On a volume or input that is mounted here as well, below `/mainctrfs`.
    case mirror(mountPath: String)
}
