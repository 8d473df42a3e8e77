package import Artifacts
package import SystemSupport
package import WorkflowModel

/// Content that stands in the location itself (contract 03 §6.9): it can only be loaded.
package struct RawDriver: ArtifactDriver {
    private let data: [UInt8]

    package init(data: String) { self.data = Array(data.utf8) }

    package var subject: String { "raw data" }
    package var canDelete: Bool { false }
    package var needs: DriverNeeds { DriverNeeds(length: false) }

    package func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }

    package func find() throws -> FoundArtifact { .object(RawObject(data: data, subject: subject)) }

    package func put(_ content: ObjectContent, at relative: BytePath?) throws { throw Self.unsupported("saved") }
    package func delete(after continuation: String?) throws -> String? { throw Self.unsupported("deleted") }
    package func list(after continuation: String?) throws -> KeyPage { throw Self.unsupported("listed") }
    package func isDirectory() throws -> Bool { false }

    private static func unsupported(_ verb: String) -> ArtifactError { .unsupported("raw artifacts cannot be \(verb)") }
}

extension RawDriver: RegisteredDriver {
    package static func serving(_ location: ArtifactLocation, context: DriverContext) -> RawDriver? {
        location.raw.map { RawDriver(data: $0.data) }
    }
}

/// The content as an object.
private struct RawObject: StoredObject {
    let data: [UInt8]
    let subject: String

    var head: ObjectHead { ObjectHead(length: Int64(data.count), supportsRanges: true) }

    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        var head = head
        head.offset = min(offset, Int64(data.count))
        let end = length.map { min(Int64(data.count), head.offset.addingReportingOverflow($0).partialValue) }
        let sink = try receive(head)
        try sink.write(data[Int(head.offset)..<Int(max(head.offset, end ?? Int64(data.count)))].span)
    }
}
