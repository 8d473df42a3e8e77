package import Artifacts
import HTTPTransport
package import SystemSupport
package import WorkflowModel

/// One file behind a URL, loaded by GET and saved by PUT (contract 03 §6.5). Nothing else can be asked of a web server.
package struct HTTPDriver: ArtifactDriver {
    let resource: HTTPResource
    /// The driver's name in messages: `http` or `artifactory`.
    private let kind: String
    private let backoff: Backoff

    package init(_ resource: HTTPResource, kind: String, context: DriverContext) {
        self.resource = resource
        self.kind = kind
        backoff = context.executorBackoff
    }

    package var subject: String { resource.subject }
    package var canDelete: Bool { false }
    package var needs: DriverNeeds { DriverNeeds(length: true, singleFile: true) }

    /// The reference tries once (contract 02 §11); GET and PUT can be repeated without harm (05 C31).
    package func schedule(for verb: ArtifactVerb) -> RetrySchedule { RetrySchedule(backoff) }

    /// Whether there is anything is told by its first read only.
    package func find() throws -> FoundArtifact { .object(HTTPObject(resource: resource)) }

    package func put(_ content: ObjectContent, at relative: BytePath?) throws {
        guard relative == nil else { throw unsupported("saved as directories") }
        try resource.exchange("PUT", "save", body: content.body.http()) { _ in DiscardingSink() }
    }

    package func delete(after continuation: String?) throws -> String? { throw unsupported("deleted") }
    package func list(after continuation: String?) throws -> KeyPage { throw unsupported("listed") }
    package func isDirectory() throws -> Bool { false }

    private func unsupported(_ verb: String) -> ArtifactError { .unsupported("\(kind) artifacts cannot be \(verb)") }
}

extension HTTPDriver: RegisteredDriver {
    package static func serving(_ location: ArtifactLocation, context: DriverContext) throws -> HTTPDriver? {
        if location.driverKind == .artifactory {
            return try location.artifactory.map { try HTTPDriver($0, context: context) }
        }
        return try location.http.map { try HTTPDriver($0, context: context) }
    }

    package static func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? {
        let url = location.driverKind == .artifactory ? location.artifactory?.url : location.http?.url
        return StoreAddress(url: try HTTPURL(url ?? "").origin + "/")
    }
}
