/// The numbers by which an answer says where it ends, or which part of a whole it is.
enum MessageFraming {
    /// What is wrong with them; nil where nothing is.
    ///
    /// libcurl passes over a length that it cannot hold, or takes one of several, and the end of the connection then stands for
    /// the end of the body: an answer that was cut off anywhere would count as whole. The words are those of Go's client.
    static func fault(of head: HTTPResponseHead) -> String? {
        if let fault = rangeFault(head.headers) { return fault }
        // Chunks count for themselves, and these answers have no body.
        if head.headers["Transfer-Encoding"] != nil || head.status == 204 || head.status == 304 { return nil }
        let lengths = head.headers.all("Content-Length")
        guard let first = lengths.first else { return nil }
        if lengths.contains(where: { $0 != first }) { return "message cannot contain multiple Content-Length headers" }
        return decimal(first) == nil ? "bad Content-Length" : nil
    }

    /// Digits alone, no sign, no more than 63 bits.
    static func decimal(_ text: some StringProtocol) -> Int64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }

    /// A `Content-Range` is for its reader to understand, but for numbers that cannot be counted.
    private static func rangeFault(_ headers: HTTPHeaders) -> String? {
        guard let text = headers["Content-Range"] else { return nil }
        let numbers = text.split { !$0.isNumber }
        return numbers.contains { decimal($0) == nil } ? "bad Content-Range" : nil
    }
}
