package import Artifacts
import HTTPTransport
package import SystemSupport
package import WorkflowModel

/// A git repository, which can only be loaded (contract 03 §6.7). The program `git` does the work.
package struct GitDriver: ArtifactDriver {
    private let checkout: GitCheckout

    package var subject: String { checkout.subject }
    package var canDelete: Bool { false }
    package var needs: DriverNeeds { DriverNeeds(length: false) }

    package func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }

    package func find() throws -> FoundArtifact { .tree(checkout) }

    package func put(_ content: ObjectContent, at relative: BytePath?) throws { throw Self.unsupported("saved") }
    package func delete(after continuation: String?) throws -> String? { throw Self.unsupported("deleted") }
    package func list(after continuation: String?) throws -> KeyPage { throw Self.unsupported("listed") }
    package func isDirectory() throws -> Bool { throw Self.unsupported("looked into") }

    private static func unsupported(_ verb: String) -> ArtifactError { .unsupported("git artifacts cannot be \(verb)") }
}

extension GitDriver: RegisteredDriver {
    package static func serving(_ location: ArtifactLocation, context: DriverContext) throws -> GitDriver? {
        guard let git = location.git else { return nil }
        let access = try GitAccess(git, context)
        func refused(_ cause: String) -> ArtifactError { .invalid("use", access.address.text, cause) }
        if git.singleBranch, git.branch.isEmpty { throw refused("singleBranch needs branch, which is empty") }
        for (field, values) in [("revision", [git.revision]), ("branch", [git.branch]), ("fetch", git.fetch)] {
            // What begins with a dash would be an option.
            guard values.allSatisfy({ !$0.hasPrefix("-") && !$0.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) }) else {
                throw refused("\(field) has blanks or control characters, or begins with a dash")
            }
        }
        return GitDriver(checkout: GitCheckout(location: git, access: access, context: context))
    }

    package static func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? {
        guard let git = location.git, case .http(let origin) = try GitAddress(git.repo).transport else { return nil }
        return StoreAddress(url: origin + "/", trust: git.insecureSkipTLS ? .insecure : nil)
    }
}
