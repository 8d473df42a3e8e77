import CArgon2
import Synchronization
package import SystemSupport

/// Keys made from passwords (RFC 9106).
package enum Argon2id {
    /// What a derivation costs, in time and memory.
    package struct Cost: Sendable {
        /// Passes over the memory, at least 1.
        package var passes: UInt32
        /// KiB of memory, at least 8 a lane.
        package var memory: UInt32
        /// Independent lanes, at least 1: they change the key.
        package var lanes: UInt32
        /// Bytes of the key, at least 4.
        package var keyLength: Int

        package init(passes: UInt32, memory: UInt32, lanes: UInt32, keyLength: Int) {
            self.passes = passes
            self.memory = memory
            self.lanes = lanes
            self.keyLength = keyLength
        }
    }

    /// The shortest salt that the library takes, in bytes.
    package static let shortestSalt = 8

    /// Only one at a time: each takes all the memory of its cost, which is given back at its end.
    private static let turn = Mutex(())

    /// Derives a key.
    ///
    /// - Throws: `ExecutorError` in the library's words: a salt below `shortestSalt`, no memory.
    package static func key(password: Secret, salt: [UInt8], cost: Cost) throws -> Secret {
        var password = password.reveal()
        var salt = salt
        var key = [UInt8](repeating: 0, count: cost.keyLength)
        func derive() -> Int32 {
            unsafe password.withUnsafeMutableBufferPointer { password in
                unsafe salt.withUnsafeMutableBufferPointer { salt in
                    unsafe key.withUnsafeMutableBufferPointer { key in
                        var context = unsafe argon2_context(
                            out: key.baseAddress, outlen: UInt32(key.count), pwd: password.baseAddress,
                            pwdlen: UInt32(password.count), salt: salt.baseAddress, saltlen: UInt32(salt.count), secret: nil,
                            secretlen: 0, ad: nil, adlen: 0, t_cost: cost.passes, m_cost: cost.memory, lanes: cost.lanes,
                            threads: 1, version: ARGON2_VERSION_13.rawValue, allocate_cbk: nil, free_cbk: nil,
                            flags: 0)
                        return unsafe argon2id_ctx(&context)
                    }
                }
            }
        }
        // On this thread alone: the library's own end by `pthread_exit`, for which a static program loads a library that an image
        // may not have, and aborts without it.
        let status = turn.withLock { _ in derive() }
        guard status == ARGON2_OK.rawValue else {
            throw ExecutorError.failed("derive key: \(unsafe String(cString: argon2_error_message(status)))")
        }
        return Secret(key)
    }
}
