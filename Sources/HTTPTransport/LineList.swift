import CCurl

/// Owns a list of lines that libcurl reads: header fields, or where to connect.
@safe struct LineList: ~Copyable {
    private(set) var first: UnsafeMutablePointer<curl_slist>?

    init() { unsafe first = nil }

    deinit { unsafe curl_slist_free_all(first) }

    mutating func append(_ line: String) throws {
        guard let grown = unsafe curl_slist_append(first, line) else {
            throw TransferError.library("set up a transfer", CURLE_OUT_OF_MEMORY)
        }
        unsafe first = grown
    }

    /// The fields of a request, and what keeps libcurl from adding fields of its own.
    init(_ headers: HTTPHeaders) throws {
        self.init()
        for field in headers.fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(Self.isNameByte) else {
                throw TransferError.invalid("net/http: invalid header field name")
            }
            // A line break would begin an injected field or request.
            guard field.value.utf8.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }) else {
                throw TransferError.invalid("net/http: invalid header field value for \"\(field.name)\"")
            }
            if HTTPHeaders.same(field.name, "Content-Length") || HTTPHeaders.same(field.name, "Transfer-Encoding") { continue }
            try append(
                field.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? field.name + ";" : "\(field.name): \(field.value)")
        }
        for name in ["Expect", "Accept", "Content-Type"] where headers[name] == nil { try append(name + ":") }
    }

    /// The characters of a token (RFC 9110 §5.6.2).
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
