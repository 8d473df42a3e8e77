import Synchronization

/// Names what a driver remembers: a type of the driver's own, so that no other driver's name is ever the same.
package protocol StoreMemoryKey: Hashable, Sendable {
    associatedtype Value: Sendable
}

/// What drivers learn of stores, e.g. a bucket's region, kept for the artifacts that follow.
package final class StoreMemory: Sendable {
    private let values = Mutex<[AnyHashable: any Sendable]>([:])

    package init() {}

    /// The value kept under a key; made when it is first asked for.
    package func value<Key: StoreMemoryKey>(for key: Key, _ make: () -> Key.Value) -> Key.Value {
        values.withLock { values in
            let name = AnyHashable(key)
            if let known = values[name] as? Key.Value { return known }
            let value = make()
            values[name] = value
            return value
        }
    }
}
