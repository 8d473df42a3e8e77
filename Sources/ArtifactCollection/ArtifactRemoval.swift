import Artifacts
import Documents
import Synchronization
import SystemSupport
import WorkflowModel

/// Deletes the artifacts of one task, many side by side and many by one request.
final class ArtifactRemoval: Sendable {
    /// Requests at a time; the controller gives the pod a tenth of a processor and 64 MiB.
    private static let width = 16

    private let task: GarbageTask
    private let results: GarbageResults
    private let drivers: DriverContext
    private let attempts: Backoff
    private let log: Log
    /// Stores that did not answer: each further artifact of theirs is tried once only, until one succeeds.
    private let silent = Mutex<Set<String>>([])

    /// Objects that go by one request.
    private struct Batch: Sendable {
        let store: String
        let driver: any BatchDeletingDriver
        var members: [(index: Int, key: String)] = []
    }

    /// - Parameter attempts: how often an artifact is tried, whatever the error (contract 02 §11, R8).
    init(_ task: GarbageTask, _ results: GarbageResults, drivers: DriverContext, attempts: Backoff, log: Log) {
        self.task = task
        self.results = results
        self.drivers = drivers
        self.attempts = attempts
        self.log = log
    }

    /// Deletes all; each artifact gets an outcome, but those that were not reached before the transfers were called off.
    func run() throws {
        let (batches, singles) = plan()
        try Parallel.forEach(count: batches.count, width: Self.width) { self.remove(batches[$0]) }
        // What a batch has left goes one by one, and is told by its own error.
        let left = batches.flatMap { $0.members.map(\.index) }.filter { !results.hasOutcome($0) }
        let rest = (singles + left).sorted()
        try Parallel.forEach(count: rest.count, width: Self.width) { self.remove(rest[$0]) }
    }

    // MARK: Together

    /// Sorts the artifacts into batches of one store and those that must go by themselves.
    private func plan() -> (batches: [Batch], singles: [Int]) {
        var full: [Batch] = []
        var open: [String: Batch] = [:]
        var singles: [Int] = []
        for (index, item) in task.items.enumerated() {
            guard let (store, key, driver) = togetherness(item, known: open) else {
                singles.append(index)
                continue
            }
            var batch = open.removeValue(forKey: store) ?? Batch(store: store, driver: driver)
            batch.members.append((index, key))
            if batch.members.count == BatchDeletion.limit { full.append(batch) } else { open[store] = batch }
        }
        for batch in open.values {
            if batch.members.count > 1 { full.append(batch) } else { singles += batch.members.map(\.index) }
        }
        return (full, singles)
    }

    /// The store and the key of an artifact that is a single object of a store that takes batches; nil for all others.
    private func togetherness(
        _ item: GarbageTask.Item, known: [String: Batch]
    ) -> (store: String, key: String, driver: any BatchDeletingDriver)? {
        // Without an archive an artifact may be a directory.
        guard let (artifact, location) = try? task.artifact(item), artifact.archive != .asIs,
            let key = try? location.key(), let place = try? location.settingKey("")
        else { return nil }
        let store = JSONValue.object(place.document).serializedText()
        if let batch = known[store] { return batch.driver.canDeleteTogether(key) ? (store, key, batch.driver) : nil }
        guard
            let driver = try? drivers.driver(for: location, artifactName: item.name)
                as? any BatchDeletingDriver, driver.canDeleteTogether(key)
        else { return nil }
        return (store, key, driver)
    }

    private func remove(_ batch: Batch) {
        if drivers.cancellation.isCancelled { return }
        do {
            let keys = Array(Set(batch.members.map(\.key)))
            let schedule = batch.driver.schedule(for: .delete)
            guard
                let errors = try RetryLoop(schedule, context: drivers).run({ try batch.driver.deleteTogether(keys) })
            else { return }
            for (index, key) in batch.members where errors[key] == nil { results.set(index, .deleted) }
            if !errors.isEmpty {
                log.warn("not all of a batch were deleted", ["failed": .count(errors.count), "of": .count(keys.count)])
            }
        } catch {
            if drivers.cancellation.isCancelled { return }
            log.warn("deleting one by one what cannot be deleted together", ["error": .error(error)])
            note(batch.store, error)
        }
    }

    // MARK: One by one

    private func remove(_ index: Int) {
        if drivers.cancellation.isCancelled { return }
        let item = task.items[index]
        do {
            let (_, location) = try task.artifact(item)
            let store = try drivers.store(for: location, artifactName: item.name)
            let place = Self.place(of: location)
            try delete(store, place)
            silent.withLock { _ = $0.remove(place) }
            results.set(index, .deleted)
        } catch {
            if drivers.cancellation.isCancelled { return }
            log.warn(
                "cannot delete an artifact",
                ["node": .text(task.nodes[item.node]), "artifact": .text(item.name), "error": .error(error)])
            results.set(index, .failed(errorText(error)))
        }
    }

    private func delete(_ store: ArtifactStore, _ place: String) throws {
        var pauses = BackoffPauses(attempts)
        while true {
            do {
                return try store.delete(silent.withLock { $0.contains(place) } ? .once : nil)
            } catch {
                note(place, error)
                // What may go away has been tried often enough by the store's own schedule, and what no attempt can change is final.
                guard !Self.isSilence(error), (error as? ArtifactError)?.code != .unsupported,
                    (error as? ArtifactError)?.code != .invalid, let pause = pauses.next(), drivers.cancellation.sleep(pause)
                else { throw error }
            }
        }
    }

    private func note(_ store: String, _ error: any Error) {
        if Self.isSilence(error) { silent.withLock { _ = $0.insert(store) } }
    }

    /// Whether the error is transient and the driver's retries are exhausted.
    private static func isSilence(_ error: any Error) -> Bool { (error as? any ClassifiedError)?.isTransient ?? false }

    private static func place(of location: ArtifactLocation) -> String {
        guard let place = try? location.settingKey("") else { return "" }
        return JSONValue.object(place.document).serializedText()
    }
}
