import Artifacts
import Encodings

/// Where the requests for a bucket go: host, scheme, and the bucket's place in the URL (contract 03 §6.1).
package struct S3Endpoint: Sendable, Equatable {
    package enum Style: Sendable, Equatable {
        /// Virtual-hosted where the store is known to take it, else path.
        case automatic
        case path
        case virtualHosted
    }

    /// Amazon's hosts are named anew for each region; all others are used as they are.
    private enum Host: Sendable, Equatable {
        case fixed(String)
        case amazon
    }

    package let bucket: String
    package let isSecure: Bool
    /// The region that the host's name tells; nil where it tells none.
    package let regionOfHost: String?
    private let host: Host
    private let usesVirtualHost: Bool
    /// As the location names it, for the log.
    let name: String
    /// Whether the store takes an object of any size by one PUT only.
    package let lacksMultipart: Bool

    /// - Parameter endpoint: `host[:port]`.
    /// - Throws: `ArtifactError` (`invalid`) where that is no host.
    package init(endpoint: String, bucket: String, isSecure: Bool, style: Style) throws {
        let allowed = endpoint.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"<>".utf8.contains($0) }
        guard allowed, !endpoint.isEmpty, endpoint.first != ":" else {
            throw ArtifactError.invalid(
                "use S3 endpoint", "'\(endpoint)'", "it must be host[:port], without a scheme or a path")
        }
        guard !bucket.isEmpty, bucket.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#%".utf8.contains($0) }) else {
            throw ArtifactError.invalid("use S3 bucket", "'\(bucket)'", "it is not a bucket's name")
        }
        let ownPort = isSecure ? ":443" : ":80"
        let name = (endpoint.hasSuffix(ownPort) ? String(endpoint.dropLast(ownPort.count)) : endpoint).lowercased()
        self.bucket = bucket
        self.name = name
        self.isSecure = isSecure
        let amazon = AmazonHost(name)
        regionOfHost = amazon?.region
        host = amazon.map { $0.isNamedByRegion ? .amazon : .fixed(name) } ?? .fixed(name)
        lacksMultipart = name == "storage.googleapis.com"
        switch style {
        case .path: usesVirtualHost = false
        case .virtualHosted: usesVirtualHost = true
        case .automatic:
            // A dot in the bucket's name makes a host that no certificate covers.
            let isKnown = amazon != nil || lacksMultipart || name.hasSuffix("aliyuncs.com")
            usesVirtualHost = isKnown && !(isSecure && bucket.contains("."))
        }
    }

    /// - Throws: `ArtifactError` (`invalid`) where the region would have to name the host and cannot.
    func check(region: String) throws {
        let canNameHost = region.utf8.allSatisfy {
            $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
        }
        guard host != .amazon || canNameHost else {
            throw ArtifactError.invalid("use S3 region", "'\(region)'", "it is not a region of Amazon's")
        }
    }

    /// The value of the `Host` header.
    package func authority(region: String) -> String {
        let name: String
        switch host {
        case .fixed(let fixed): name = fixed
        case .amazon: name = "s3.dualstack.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
        }
        return usesVirtualHost ? "\(bucket).\(name)" : name
    }

    /// The path, percent-encoded, of an object or of the bucket itself.
    package func path(key: [UInt8]?) -> String {
        let inBucket = key.map { PercentEncoding.encode($0, keepingSlashes: true) } ?? ""
        if usesVirtualHost { return "/" + inBucket }
        let bucket = PercentEncoding.encode(bucket)
        return key == nil ? "/\(bucket)" : "/\(bucket)/\(inBucket)"
    }
}

/// A host of Amazon's S3.
private struct AmazonHost {
    /// nil where the name tells none.
    let region: String?
    /// Whether the host that is really used is made from the region: not for FIPS, PrivateLink, Outposts and the like.
    let isNamedByRegion: Bool

    init?(_ host: String) {
        guard let suffix = [".amazonaws.com", ".amazonaws.com.cn"].first(where: { host.hasSuffix($0) }) else { return nil }
        let labels = host.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if labels == ["s3"] || labels == ["s3-external-1"] {
            (region, isNamedByRegion) = (nil, true)
            return
        }
        // A load balancer in front of anything may have any name.
        if labels.contains("elb") { return nil }
        guard let service = labels.firstIndex(where: { $0 == "s3" || $0.hasPrefix("s3-") }) else { return nil }
        let rest = Array(labels[(service + 1)...])
        let hyphenated = String(labels[service].dropFirst(3))
        switch (labels[service], rest.count) {
        case ("s3", 1) where service == 0: region = rest[0]
        case ("s3", 2) where service == 0 && rest[0] == "dualstack": region = rest[1]
        case (_, 0) where service == 0 && Self.isRegion(hyphenated): region = hyphenated
        default:
            region = rest.first { Self.isRegion($0) } ?? Self.regionAtEnd(of: hyphenated)
            isNamedByRegion = false
            return
        }
        isNamedByRegion = true
    }

    /// `us-east-1`, `us-gov-west-1`, `cn-north-1`.
    private static func isRegion(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count >= 3 && parts[0].count == 2 && parts.dropLast().allSatisfy { $0.allSatisfy(\.isLetter) }
            && parts.last.map { $0.count == 1 && $0.allSatisfy(\.isNumber) } ?? false
    }

    /// The region in `fips-us-gov-west-1`.
    private static func regionAtEnd(of text: String) -> String? {
        text.firstIndex(of: "-").map { String(text[text.index(after: $0)...]) }.flatMap { isRegion($0) ? $0 : nil }
    }
}
