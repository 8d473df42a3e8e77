import WorkflowPlanning

/// The names that the controller gives to nodes and pods.
package enum NodeNames {
    /// FNV-1a of 32 bits.
    package static func hash(_ text: String) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return hash
    }

    /// `<workflow>-<hash of the node's name>`; the root node's is the workflow's name.
    package static func nodeID(workflow: String, nodeName: String) -> String {
        nodeName == workflow ? workflow : "\(workflow)-\(hash(nodeName))"
    }

    /// `<workflow>-<template>-<hash of the node's name>`, cut so that the whole fits 253 bytes; the root pod's is the workflow's name.
    package static func podName(workflow: String, nodeName: String, template: String) -> String {
        if nodeName == workflow { return workflow }
        let prefix = template.isEmpty ? workflow : "\(workflow)-\(template)"
        return "\(String(decoding: prefix.utf8.prefix(longestPrefix), as: UTF8.self))-\(hash(nodeName))"
    }

    /// 253 bytes of a name less ten digits of the hash and the dash.
    private static let longestPrefix = 242

    /// The last part of a node's name, without what loops and retries put behind it.
    static func stepName(_ nodeName: String) -> String {
        var name = Substring(nodeName)
        scan: while let last = name.last {
            switch last {
            case ")", "]":
                let opener: Character = last == ")" ? "(" : "["
                guard let start = name.lastIndex(of: opener) else { break scan }
                name = name[..<start]
            default: break scan
            }
        }
        return name.split(separator: ".", omittingEmptySubsequences: false).last.map(String.init) ?? String(name)
    }

    /// What a node is called below the node that bounds it: `[0].a` and `.a` are `a`, `[0]` stays.
    static func displayName(_ nodeName: String, boundaryName: String?) -> String {
        guard let boundaryName, nodeName.hasPrefix(boundaryName) else { return nodeName }
        let rest = nodeName.dropFirst(boundaryName.count)
        if rest.first == "." { return String(rest.dropFirst()) }
        if rest.first == "[", let end = rest.firstIndex(of: "]") {
            let digits = rest[rest.index(after: rest.startIndex)..<end]
            let after = rest[rest.index(after: end)...]
            if !digits.isEmpty, digits.allSatisfy(\.isWholeNumber), after.first == "." { return String(after.dropFirst()) }
        }
        return String(rest)
    }
}
