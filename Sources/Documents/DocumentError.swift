import SystemSupport

/// Why a file holds no readable YAML or JSON, and where.
package struct DocumentError: ClassifiedError, Equatable, Sendable {
    package let place: SourcePlace
    package let reason: String

    package init(place: SourcePlace, reason: String) {
        self.place = place
        self.reason = reason
    }

    package var message: String { "\(place): \(reason)" }

    static func at(_ file: String, _ position: SourcePosition, _ reason: String) -> Self {
        .init(place: SourcePlace(file: file, position: position), reason: reason)
    }
}
