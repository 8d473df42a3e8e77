import CCurl
import CCurlShims

/// Owns what the handles of one client share: resolved names and TLS sessions. Each handle holds on to it.
@safe
final class HandleShare: @unchecked Sendable {
    // Used by libcurl under the locks of the shim.
    private let share: OpaquePointer

    init() throws {
        guard let share = unsafe curlshim_share_new() else {
            throw TransferError.library("make a transfer", CURLE_OUT_OF_MEMORY)
        }
        unsafe self.share = share
    }

    deinit { unsafe curlshim_share_free(share) }

    func attach(to easy: UnsafeMutableRawPointer) throws {
        let status = unsafe curlshim_set_share(easy, share)
        guard status == CURLE_OK else { throw TransferError.library("set up a transfer", status) }
    }
}
