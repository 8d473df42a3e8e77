/// A driver whose store removes many objects by one request. Only single objects are removed so: whether something stands below a
/// key, as below a directory's, is not looked at.
package protocol BatchDeletingDriver: ArtifactDriver {
    /// The key of the driver's own location.
    var key: String { get }

    /// Whether an object of this key can be removed together with others.
    func canDeleteTogether(_ key: String) -> Bool

    /// Removes objects of the store that the driver's location is in, by one request. What is absent already is as good as removed.
    ///
    /// - Parameter keys: at most `BatchDeletion.limit`.
    /// - Returns: the errors of those that were not removed; nil where the store does not take such a request.
    func deleteTogether(_ keys: [String]) throws -> [String: any Error]?
}

package enum BatchDeletion {
    /// The most objects that one request removes (S3: DeleteObjects).
    package static let limit = 1000
}
