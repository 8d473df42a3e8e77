import FileTrees
import Glibc
import Synchronization
import SystemSupport

/// A part of a stream, filled and waiting to be sent: in memory, or in a file without a name.
final class SpooledPart: Sendable {
    private enum Content: Sendable {
        case memory([UInt8], taken: Int, TransferBudget)
        case file(OpenFile, length: Int64, SpoolSlots)
        case none
    }
    private let content: Mutex<Content>

    private init(_ content: Content) { self.content = Mutex(content) }

    var body: ObjectBody {
        content.withLock { content in
            switch content {
            case .memory(let bytes, _, _): .bytes(bytes)
            case .file(let file, let length, _): .file(FileStretch(file, offset: 0, length: length))
            case .none: .bytes([])
            }
        }
    }

    var length: Int64 { body.length ?? 0 }

    /// Gives memory or disk back; the part is empty then.
    func release() {
        let old = content.withLock { content in
            defer { content = .none }
            return content
        }
        switch old {
        case .memory(_, let taken, let budget): budget.returnPartMemory(taken)
        case .file(_, _, let slots): slots.giveBack()
        case .none: break
        }
    }

    deinit { release() }

    /// Reads parts off a stream. Not thread-safe.
    final class Filler {
        private let source: any ByteSource
        private let context: DriverContext
        private let slots = SpoolSlots()
        private var block = [UInt8](repeating: 0, count: 256 << 10)
        /// Read, but not yet part of a part.
        private var rest: ArraySlice<UInt8> = []
        private var hasEnded = false

        /// Up to this size a part is kept in memory.
        private static let memoryLimit: Int64 = 8 << 20
        /// Up to this size two parts may lie on the disk at a time.
        private static let doubleLimit: Int64 = 64 << 20

        init(_ source: any ByteSource, context: DriverContext) {
            self.source = source
            self.context = context
        }

        /// The next part of that many bytes, or fewer at the end of the stream; nil when there are none.
        ///
        /// Waits until memory or disk is free for it.
        func next(_ size: Int64) throws -> SpooledPart? {
            if try !hasMore() { return nil }
            if size <= Self.memoryLimit, size <= Int64(context.budget.partMemory) { return try inMemory(Int(size)) }
            return try onDisk(size)
        }

        /// Whether the stream goes on.
        func hasMore() throws -> Bool {
            if rest.isEmpty, !hasEnded {
                var filled: [UInt8] = []
                swap(&filled, &block)
                defer { swap(&filled, &block) }
                var span = filled.mutableSpan
                let count = try source.read(into: &span)
                hasEnded = count == 0
                rest = filled[..<count]
            }
            return !rest.isEmpty
        }

        private func inMemory(_ size: Int) throws -> SpooledPart {
            context.budget.waitForPartMemory(size)
            var bytes: [UInt8] = []
            do {
                bytes.reserveCapacity(size)
                while bytes.count < size, try hasMore() {
                    let piece = rest.prefix(size - bytes.count)
                    bytes += piece
                    rest = rest.dropFirst(piece.count)
                    if rest.isEmpty { rest = [] }
                }
            } catch {
                context.budget.returnPartMemory(size)
                throw error
            }
            return SpooledPart(.memory(bytes, taken: size, context.budget))
        }

        private func onDisk(_ size: Int64) throws -> SpooledPart {
            slots.take(atMost: size <= Self.doubleLimit ? 2 : 1)
            do {
                let file = try SpoolFile.make(in: context.spoolDirectory)
                var length: Int64 = 0
                while length < size, try hasMore() {
                    let piece = rest.prefix(Int(min(Int64(rest.count), size - length)))
                    try DescriptorIO.write(file.descriptor.raw, piece.span, subject: file.subject)
                    length += Int64(piece.count)
                    rest = rest.dropFirst(piece.count)
                    if rest.isEmpty { rest = [] }
                }
                return SpooledPart(.file(file, length: length, slots))
            } catch {
                slots.giveBack()
                throw error
            }
        }
    }
}

/// How many parts of one stream lie on the disk.
final class SpoolSlots: Sendable {
    private let used = Monitor(0)

    func take(atMost limit: Int) {
        used.wait { used -> Void? in
            guard used < limit else { return nil }
            used += 1
            return ()
        }
    }

    func giveBack() { used.update { $0 -= 1 } }
}

/// Files that have no name, so that nothing is left of them whatever happens.
enum SpoolFile {
    static func make(in directory: BytePath) throws(SystemError) -> OpenFile {
        let folder = try SharedPlace(directory)
        while true {
            let name = TemporaryNames.usual.make()
            do {
                let descriptor = try folder.directory.createFile(name, mode: 0o600)
                try? folder.unlink(name)
                return OpenFile(descriptor, subject: directory.appending(name).text)
            } catch  where error.code == EEXIST { continue }
        }
    }
}
