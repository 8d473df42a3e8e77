import Artifacts
import FileTrees
import Glibc
import HTTPTransport
import RemoteProcedures
import SystemSupport
import WorkflowModel

/// The service that a plugin offers at its socket (contract 03 §6.10).
struct PluginService: Sendable {
    /// The methods that the executor has a use for.
    enum Method: String {
        case load = "Load"
        case save = "Save"
        case delete = "Delete"
        case list = "ListObjects"
        case isDirectory = "IsDirectory"

        /// For messages.
        var operation: String {
            switch self {
            case .load: "load"
            case .save: "save"
            case .delete: "delete"
            case .list: "list"
            case .isDirectory: "find"
            }
        }
    }

    let location: PluginLocation
    let subject: String
    let context: DriverContext

    /// The longest answer that is taken, in bytes: a list of a hundred thousand keys.
    private static let answerLimit = 16 << 20
    /// Seconds for the plugin's greeting where the location says nothing.
    private static let usualPatience = 5

    /// Makes one call.
    ///
    /// It may take as long as the plugin needs: only the end of the step, or of the plugin, ends it.
    ///
    /// - Returns: the message of the answer.
    /// - Throws: `ArtifactError`; not found where the plugin says so by its status.
    func call(_ method: Method, _ message: [UInt8]) throws -> [UInt8] {
        let socket = try connect(method)
        var request = HTTPRequest("POST", "http://localhost/artifact.ArtifactService/\(method.rawValue)")
        request.connectTimeout = patience
        request.stallTimeout = 0
        let answer: RemoteAnswer
        do {
            answer = try RemoteCall.unary(
                context.clients.client(atSocket: socket), request, message, answerLimit: Self.answerLimit)
        } catch let error as TransferError {
            if error.code == .aborted { throw ArtifactError.cancelled(method.operation, subject) }
            throw ArtifactError.told(method.operation, subject, "the plugin has not answered: \(error.cause)")
        } catch { throw ArtifactError.told(method.operation, subject, errorText(error)) }
        if answer.code == 0 { return answer.message }
        let text = answer.text.map { $0.isEmpty ? "" : ": \(hiding($0))" } ?? ""
        if answer.code == 5 {
            throw ArtifactError.notFound(method.operation, subject, "the plugin says \(answer.codeName)\(text)")
        }
        throw ArtifactError.told(method.operation, subject, "the plugin says \(answer.codeName)\(text)")
    }

    /// An error that the plugin tells in its answer.
    func failure(_ method: Method, _ text: String) -> ArtifactError {
        .told(method.operation, subject, text.isEmpty ? "the plugin failed and gives no reason" : hiding(text))
    }

    /// The plugin's words, but for the lines in which it repeats its configuration, which may hold secrets.
    private func hiding(_ text: String) -> String {
        Secret(location.configuration).occurs(in: text) ? "it repeats its configuration, which is not shown" : text
    }

    // MARK: The connection

    private var patience: Int {
        location.connectionTimeoutSeconds > 0 ? location.connectionTimeoutSeconds : Self.usualPatience
    }

    /// Waits for the plugin, once in a process; what came of that is remembered.
    private func connect(_ method: Method) throws -> BytePath {
        let places = context.clouds[PluginPlaces.self]
        guard !location.name.isEmpty, !location.name.utf8.contains(UInt8(ascii: "/")), ![".", ".."].contains(location.name)
        else { throw ArtifactError.invalid(method.operation, subject, "\"\(location.name)\" is no name of a plugin") }
        let socket = places.folder(of: location.name).appending("socket")
        let meeting = context.memory.value(for: Key(socket: socket)) { Monitor(Meeting.none) }
        let isFirst = meeting.wait { state -> Bool? in
            switch state {
            case .none:
                state = .awaited
                return true
            case .awaited: return nil
            case .met, .failed: return false
            }
        }
        if isFirst {
            do {
                try wait(for: socket, places.patience)
                meeting.update { $0 = .met }
            } catch { meeting.update { $0 = .failed(errorText(error)) } }
        }
        if case .failed(let cause) = meeting.current {
            if context.cancellation.isCancelled { throw ArtifactError.cancelled(method.operation, subject) }
            throw ArtifactError.told(method.operation, subject, cause)
        }
        return socket
    }

    private func wait(for socket: BytePath, _ patience: Int64) throws {
        let end = monotonicNanoseconds(after: context.isAttended ? 0 : patience)
        var isTold = false
        while try !isMade(socket) {
            if monotonicNanoseconds() >= end {
                throw ExecutorError.failed(
                    context.isAttended
                        ? "no plugin runs here: there is no \(socket)"
                        : "the plugin has not made its socket \(socket) within \(patience / 1_000_000_000) s")
            }
            if !isTold { context.log.info("waiting for the plugin's socket", ["path": .path(socket)]) }
            isTold = true
            if !context.cancellation.sleep(100_000_000) { throw ExecutorError.failed("context canceled") }
        }
        let cancellation = context.cancellation
        do {
            try SocketGreeting.wait(at: socket, atMost: Int64(self.patience) * 1_000_000_000) { cancellation.isCancelled }
        } catch { throw ExecutorError.wrapping("connect to the plugin at \(socket)", error) }
    }

    /// The folder is made for the plugin, and may come later than we.
    private func isMade(_ socket: BytePath) throws(SystemError) -> Bool {
        do { return try SharedPlace(socket.directory).statusIfPresent(socket.base) != nil } catch  where error.code == ENOENT {
            return false
        }
    }

    private enum Meeting: Sendable {
        case none, awaited, met
        case failed(String)
    }

    private struct Key: StoreMemoryKey {
        typealias Value = Monitor<Meeting>
        let socket: BytePath
    }
}
