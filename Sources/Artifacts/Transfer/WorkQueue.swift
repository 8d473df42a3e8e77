import SystemSupport

/// Hands items from one thread that finds them to several that work on them; few wait in between.
enum WorkQueue {
    private struct State<Item: Sendable> {
        /// In order; those before `first` are taken already.
        private var items: [Item] = []
        private var first = 0
        var running = 0
        var isClosed = false
        var failure: (any Error)?

        var waiting: Int { items.count - first }

        mutating func add(_ item: Item) { items.append(item) }

        mutating func take() -> Item? {
            guard first < items.count else { return nil }
            let item = items[first]
            first += 1
            if first >= 64, first * 2 >= items.count {
                items.removeFirst(first)
                first = 0
            }
            return item
        }

        mutating func drop() {
            items = []
            first = 0
        }
    }

    /// Thrown out of `push` once a worker has failed; the worker's own error is the one that counts.
    private struct Stopped: Error {}

    /// Runs `produce` on the calling thread and `consume` on up to `width` others, and waits for all.
    ///
    /// - Parameters:
    ///   - width: asked anew with each item; those who work already are not stopped where it shrinks.
    ///   - capacity: items that may wait.
    /// - Throws: the first error of any; after it nothing more is begun.
    static func run<Item: Sendable>(
        width: @autoclosure () -> Int, capacity: Int, produce: ((Item) throws -> Void) throws -> Void,
        consume: @escaping @Sendable (Item) throws -> Void
    ) throws {
        let state = Monitor(State<Item>())
        let work: @Sendable () -> Void = {
            while let item = next(state) {
                do { try consume(item) } catch { fail(state, error) }
            }
            state.update { $0.running -= 1 }
        }
        let push: (Item) throws -> Void = { item in
            let width = width()
            let needsWorker = try state.wait { state -> Bool? in
                if state.failure != nil { throw Stopped() }
                guard state.waiting < capacity else { return nil }
                state.add(item)
                guard state.running < width else { return false }
                state.running += 1
                return true
            }
            guard needsWorker else { return }
            do { try WorkerThread(work).detach() } catch {
                let isAlone = state.update { state in
                    state.running -= 1
                    return state.running == 0
                }
                // Without any other thread this one does the work.
                if isAlone, let item = state.update({ $0.take() }) { try consume(item) }
            }
        }
        do { try produce(push) } catch is Stopped {} catch { fail(state, error) }
        state.update { $0.isClosed = true }
        state.wait { $0.running == 0 ? true : nil }
        if let failure = state.update({ $0.failure }) { throw failure }
    }

    private static func fail<Item: Sendable>(_ state: Monitor<State<Item>>, _ error: any Error) {
        state.update { state in
            if state.failure == nil { state.failure = error }
            state.drop()
        }
    }

    /// The next item; nil when there will be none.
    private static func next<Item: Sendable>(_ state: Monitor<State<Item>>) -> Item? {
        state.wait { state -> Item?? in
            if state.failure != nil { return .some(nil) }
            if let item = state.take() { return item }
            return state.isClosed ? .some(nil) : nil
        }
    }
}
