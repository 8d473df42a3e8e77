import Foundation
import HTTPTransport
import SystemSupport
import Testing

/// A client that trusts nobody and asks no proxy.
func client(_ change: (inout HTTPClientConfiguration) -> Void = { _ in }) -> HTTPClient {
    var configuration = HTTPClientConfiguration(
        trust: .system(file: "/dev/null", directories: "/nonexistent"), userAgent: "argoexec-test")
    change(&configuration)
    return HTTPClient(configuration: configuration)
}

/// The error that `body` throws, as a `TransferError`.
func failure(_ body: () throws -> Void) throws -> TransferError {
    try #require(throws: TransferError.self) { try body() }
}

/// A file that exists for the length of `body`.
func withTemporaryFile(_ content: [UInt8], _ body: (Int32) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try SmallFile.write(BytePath(path), content)
    let file = try Descriptor.open(BytePath(path), O_RDONLY)
    unlink(path)
    try body(file.raw)
}
