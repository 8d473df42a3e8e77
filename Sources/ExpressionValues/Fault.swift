internal import Encodings

/// A fault while an expression is evaluated; the evaluator knows the place.
package struct Fault: Error {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

extension Fault {
    /// The bytes of Base64, its line breaks skipped.
    package static func decodingBase64(_ text: String) throws(Fault) -> [UInt8] {
        do throws(BaseText.Fault) { return try BaseText.decode64(text) } catch { throw Fault(error.reason) }
    }

    /// The same of Base32.
    package static func decodingBase32(_ text: String) throws(Fault) -> [UInt8] {
        do throws(BaseText.Fault) { return try BaseText.decode32(text) } catch { throw Fault(error.reason) }
    }
}
