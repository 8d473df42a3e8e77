import Artifacts
import ProcessControl
import RequestSigning
import SystemSupport

/// A program that prints keys (AWS, "Sourcing credentials with an external process"). Its output is never shown. What it says
/// on standard error when it fails is, as AWS's own tools do, unless it repeats some of the output.
struct CredentialProcess {
    /// For `sh -c`.
    let command: String
    let profile: String

    private static let limit: Int64 = 60_000_000_000

    func run() throws -> IssuedCredential<SigV4.Credential> {
        let spawner = Spawner(
            program: "/bin/sh", arguments: ["sh", "-c", BytePath(command)], environment: .original())
        var process = Subprocess(spawner)
        process.outputLimit = 1 << 20
        process.deadline = monotonicNanoseconds() + Self.limit
        let result = try process.run()
        guard result.status.code == 0 else {
            let said = result.explanation()
            throw CredentialFailure.invalid(
                "the credential_process of profile '\(profile)' ended with exit code \(result.status.code)"
                    + (said.isEmpty ? "" : ": \(said)"))
        }
        let document = try KeyDocument(result.output)
        guard document.number("Version") == 1 else {
            throw CredentialFailure.invalid("the credential_process of profile '\(profile)' gives another version than 1")
        }
        return try document.keys(token: "SessionToken")
    }
}
