import Glibc
import SystemSupport

/// The names in a directory in bytewise order.
///
/// They are read in batches, so that a directory of any size takes bounded memory: one that does not fit is listed again for
/// each batch, and the smallest names beyond the last are kept.
struct SortedNames {
    /// Bytes of names held at once.
    static let defaultBatch = 8 << 20

    private let batch: Int
    /// The names one behind the other, and where each begins and how long it is: offset << 16 | length.
    private var bytes: [UInt8] = []
    private var places: [UInt64] = []
    private var index = 0
    private var isStarted = false
    private var isComplete = false

    init(batch: Int = SortedNames.defaultBatch) { self.batch = batch }

    /// - Parameter directory: the same directory at each call.
    mutating func next(in directory: Int32, subject: @autoclosure () -> String) throws(SystemError) -> BytePath? {
        if index == places.count {
            if isComplete { return nil }
            try fill(directory, subject())
            if places.isEmpty { return nil }
        }
        defer { index += 1 }
        return name(places[index])
    }

    private func name(_ place: UInt64) -> BytePath {
        let start = Int(place >> 16)
        return BytePath(bytes: bytes[start..<start + Int(place & 0xFFFF)])
    }

    private mutating func fill(_ directory: Int32, _ subject: String) throws(SystemError) {
        let after = isStarted ? places.last.map { name($0).bytes } ?? [] : nil
        isStarted = true
        bytes.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        index = 0
        isComplete = true
        var bound: [UInt8]?
        let listing = try DirectoryListing(directory, subject: subject)
        while try unsafe listing.next({ name in
            if let after, unsafe Self.compare(name, after) <= 0 { return }
            if let bound, unsafe Self.compare(name, bound) > 0 { return }
            places.append(UInt64(bytes.count) << 16 | UInt64(name.count))
            unsafe bytes.append(contentsOf: name)
        }) {
            if bytes.count > 2 * batch { bound = cut() }
        }
        sort()
        if bytes.count > batch { _ = cut() }
    }

    /// Keeps the smallest names that fit one batch, at least one.
    ///
    /// - Returns: the greatest that was kept.
    private mutating func cut() -> [UInt8] {
        sort()
        var kept: [UInt8] = []
        var count = 0
        for place in places {
            let name = name(place).bytes
            if count > 0, kept.count + name.count > batch { break }
            places[count] = UInt64(kept.count) << 16 | UInt64(name.count)
            kept += name
            count += 1
        }
        places.removeLast(places.count - count)
        bytes = kept
        isComplete = false
        return name(places[count - 1]).bytes
    }

    private mutating func sort() {
        unsafe bytes.withUnsafeBytes { bytes in
            places.sort { left, right in
                let left = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(left >> 16)...].prefix(Int(left & 0xFFFF)))
                let right = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(right >> 16)...].prefix(Int(right & 0xFFFF)))
                return unsafe Self.compare(left, right) < 0
            }
        }
    }

    private static func compare(_ left: UnsafeRawBufferPointer, _ right: [UInt8]) -> Int {
        unsafe right.withUnsafeBytes { unsafe compare(left, $0) }
    }

    private static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let order = unsafe Int(memcmp(left.baseAddress!, right.baseAddress!, min(left.count, right.count)))
        return order != 0 ? order : left.count - right.count
    }
}
