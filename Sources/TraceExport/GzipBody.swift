import CDeflate

/// Compresses the body of one request.
enum GzipBody {
    private static let level: Int32 = 6

    /// Nil for want of memory: the body then goes as it is.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let compressor = unsafe libdeflate_alloc_compressor(level) else { return nil }
        defer { unsafe libdeflate_free_compressor(compressor) }
        var output = [UInt8](repeating: 0, count: unsafe libdeflate_gzip_compress_bound(compressor, bytes.count))
        let count = unsafe bytes.withUnsafeBytes { input in
            unsafe output.withUnsafeMutableBytes { room in
                unsafe libdeflate_gzip_compress(compressor, input.baseAddress, input.count, room.baseAddress, room.count)
            }
        }
        return count > 0 ? Array(output[..<count]) : nil
    }
}
