package import Documents
package import SystemSupport

/// How a patch says what is to be changed.
package enum PatchKind: Sendable, Equatable {
    /// RFC 7386.
    case merge
    /// Kubernetes' own, which merges lists by their keys; the server has it for its built-in resources only.
    case strategicMerge
    /// RFC 6902: a list of operations.
    case json
    /// Server-side apply, in the name of a field manager.
    case apply(manager: String, force: Bool)

    var contentType: String {
        switch self {
        case .merge: "application/merge-patch+json"
        case .strategicMerge: "application/strategic-merge-patch+json"
        case .json: "application/json-patch+json"
        case .apply: "application/apply-patch+yaml"
        }
    }

    var query: [(name: String, value: String)] {
        guard case .apply(let manager, let force) = self else { return [] }
        return [("fieldManager", manager), ("force", force ? "true" : "false")]
    }
}

/// What becomes of the objects that a deleted one owns.
package enum DeletionPropagation: String, Sendable {
    case orphan = "Orphan"
    case background = "Background"
    case foreground = "Foreground"
}

/// Some objects of a list.
package struct ResourcePage: Sendable {
    package let items: [JSONValue]
    /// Where a watch of the whole list goes on.
    package let resourceVersion: String
    /// Asks for the next page; nil at the end. The server forgets it after some minutes, and then answers 410.
    package let next: String?
}

/// Calls for any resource. All of them throw `APIError`, and the error of loading the client configuration.
extension KubernetesClient {
    package func get(_ path: ResourcePath) throws -> JSONValue {
        try send(APIRequest(method: "GET", verb: "get", path: path, answer: .object(path.resource.kind)))
    }

    /// What the server tells of the resources of a group's version (`APIResource` objects of Kubernetes' discovery).
    ///
    /// - Parameter group: empty for the core group.
    package func resources(inGroup group: String, version: String) throws -> [JSONValue] {
        let path = ResourcePath(.discovery(group: group, version: version))
        return try send(APIRequest(method: "GET", verb: "get", path: path, answer: .object(path.resource.kind)))["resources"]?
            .array ?? []
    }

    /// A page of the objects that are selected.
    ///
    /// - Parameters:
    ///   - pageSize: the most objects in a page; nil for all at once.
    ///   - continuation: nil at first, else `ResourcePage.next` of the page before.
    package func list(
        _ selection: ResourceSelection, pageSize: Int? = nil, after continuation: String? = nil
    ) throws -> ResourcePage {
        var request = APIRequest(
            method: "GET", verb: "list", path: selection.path, answer: .object(selection.path.resource.kind + "List"))
        request.query = selection.query
        if let pageSize { request.query.append(("limit", String(pageSize))) }
        if let continuation { request.query.append(("continue", continuation)) }
        let list = try send(request)
        let metadata = list["metadata"]
        let next = metadata?["continue"]?.string ?? ""
        return ResourcePage(
            items: list["items"]?.array ?? [], resourceVersion: metadata?["resourceVersion"]?.string ?? "",
            next: next.isEmpty ? nil : next)
    }

    /// - Parameter path: without a name: that stands in the object.
    package func create(_ path: ResourcePath, _ object: JSONValue, _ options: CallOptions = CallOptions()) throws -> JSONValue {
        try change("POST", "create", path, object.serialized(), "application/json", options: options)
    }

    /// Puts an object in the place of the one of its name. With the `resourceVersion` of what was read it is refused (409) where
    /// that has changed meanwhile.
    package func replace(_ path: ResourcePath, _ object: JSONValue, _ options: CallOptions = CallOptions()) throws -> JSONValue
    {
        try change("PUT", "update", path, object.serialized(), "application/json", options: options)
    }

    /// Where others change the object at the same time the server tries a few times by itself and then refuses (409). A merge that
    /// asks for no version of the object means the same whenever it is made, so it is sent again.
    package func patch(
        _ path: ResourcePath, _ kind: PatchKind, _ patch: JSONValue, _ options: CallOptions = CallOptions()
    ) throws -> JSONValue {
        let namesVersion = patch.field("metadata")?.field("resourceVersion") != nil
        let mayRepeat = (kind == .merge || kind == .strategicMerge) && !namesVersion
        return try Self.conflicts.run(
            isTransient: { mayRepeat && ($0 as? APIError)?.isConflict ?? false },
            sleep: { wait($0, outlivesCancellation: options.outlivesCancellation) }
        ) {
            try change("PATCH", "patch", path, patch.serialized(), kind.contentType, query: kind.query, options: options)
        }
    }

    private static let conflicts = Backoff(duration: 50_000_000, factor: 2, jitter: 0.5, steps: 6)

    /// - Parameters:
    ///   - gracePeriod: seconds; nil for the object's own.
    ///   - uid: of the object that is meant; nil for whichever has the name.
    package func delete(
        _ path: ResourcePath, propagation: DeletionPropagation? = nil, gracePeriod: Int? = nil, uid: String? = nil
    ) throws {
        var options: JSONObject = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let propagation { options["propagationPolicy"] = .string(propagation.rawValue) }
        if let gracePeriod { options["gracePeriodSeconds"] = .integer(gracePeriod) }
        if let uid { options["preconditions"] = ["uid": .string(uid)] }
        var request = APIRequest(method: "DELETE", verb: "delete", path: path, answer: .deletion(path.resource.kind))
        request.body = JSONValue.object(options).serialized()
        _ = try send(request)
    }

    /// Writes what a container has printed.
    ///
    /// - Parameters:
    ///   - container: nil for the only one.
    ///   - follows: whether to go on until the container ends.
    ///   - tailLines: the last lines only; nil for all.
    package func logs(
        ofPod name: String, namespace: String? = nil, container: String? = nil, follows: Bool = false, tailLines: Int? = nil,
        to sink: any ByteSink
    ) throws {
        var request = APIRequest(
            method: "GET", verb: "get", path: ResourcePath(.pods, name: name, subresource: "log", namespace: namespace),
            answer: .bytes)
        if let container { request.query.append(("container", container)) }
        if follows {
            request.query.append(("follow", "true"))
            request.stallTimeout = 0
        }
        if let tailLines { request.query.append(("tailLines", String(tailLines))) }
        try stream(request, to: sink)
    }

    private func change(
        _ method: String, _ verb: String, _ path: ResourcePath, _ body: [UInt8], _ contentType: String,
        query: [(name: String, value: String)] = [], options: CallOptions
    ) throws -> JSONValue {
        var request = APIRequest(method: method, verb: verb, path: path, answer: .object(path.resource.kind))
        request.body = body
        request.contentType = contentType
        request.query = query
        request.outlivesCancellation = options.outlivesCancellation
        request.totalTimeout = options.timeLimit
        return try send(request)
    }
}
