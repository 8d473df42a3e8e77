import CCurl
import CCurlShims
import Glibc
import SystemSupport

/// Owns the parsed certificates of the trusted authorities; all connections of a client verify against the same.
@safe
final class CertificateStore: @unchecked Sendable {
    // Filled before anybody else sees it; OpenSSL locks it afterwards.
    private let anchors: OpaquePointer

    /// - Throws: `TransferError` (`tls`) where PEM bytes were given that hold no certificate.
    init(_ trust: TrustAnchors) throws {
        guard let anchors = unsafe curlshim_anchors_new() else {
            throw TransferError.library("load certificates", CURLE_OUT_OF_MEMORY)
        }
        unsafe self.anchors = anchors
        switch trust {
        case .insecure: break
        case .certificates(let pem):
            guard add(pem) > 0 else { throw TransferError.tls("load certificates: no certificate in the given PEM") }
        case .system(let file, let directories):
            let search = TrustSearch(file: file, directories: directories)
            for pem in search.files() { add(pem) }
        }
    }

    deinit { unsafe curlshim_anchors_free(anchors) }

    /// Lends the store; it must outlive what uses it.
    var pointer: OpaquePointer { unsafe anchors }

    @discardableResult
    private func add(_ pem: [UInt8]) -> Int {
        unsafe pem.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe curlshim_anchors_add(anchors, start, bytes.count)
        }
    }
}
