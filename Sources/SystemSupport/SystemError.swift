import Glibc

/// A failed system call: what was tried, on what, and the kernel's answer.
package struct SystemError: Error, Equatable, Sendable {
    /// The call or operation, e.g. `open`.
    package let operation: String
    /// What it was done to, e.g. a path; may be empty.
    package let subject: String
    /// The value of `errno`.
    package let code: Int32

    package init(_ operation: String, _ subject: String, _ code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The kernel's text for the code, first letter in lower case as the reference prints it.
    package var cause: String { errnoText(code) }
}

extension SystemError: ClassifiedError {
    package var message: String { subject.isEmpty ? "\(operation): \(cause)" : "\(operation) \(subject): \(cause)" }

    /// Socket operations that may go away on retry (contract 02 §12, "network by type").
    package var isTransient: Bool {
        switch code {
        case ECONNREFUSED, ECONNRESET, ECONNABORTED, ETIMEDOUT, EPIPE, ENETUNREACH, EHOSTUNREACH, ENETDOWN: true
        default: false
        }
    }
}

/// The C library's text for an `errno` value, first letter in lower case.
package func errnoText(_ code: Int32) -> String {
    guard let raw = unsafe strerror(code) else { return "errno \(code)" }
    let text = unsafe String(cString: raw)
    return text.prefix(1).lowercased() + text.dropFirst()
}

/// Runs a system call that answers -1 on failure, again after EINTR.
///
/// - Parameter repeating: false for `close` and for waits with a time-out.
/// - Returns: what the call returned.
@discardableResult
package func checked<R: SignedInteger>(
    _ operation: String, _ subject: @autoclosure () -> String = "", repeating: Bool = true, _ call: () -> R
) throws(SystemError) -> R {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code != EINTR || !repeating { throw SystemError(operation, subject(), code) }
    }
}
