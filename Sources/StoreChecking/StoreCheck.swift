package import Artifacts
import HTTPTransport
import PodBuilding
import PodSandbox
import Synchronization
package import SystemSupport
import WorkflowModel

/// Tries a store's configuration step by step: name, connection, TLS, clock, credentials, bucket, and a probe object that is put,
/// got, listed and always deleted.
package final class StoreCheck: Sendable {
    private let location: ArtifactLocation
    private let folder: String
    private let secrets: BytePath?
    private let makeDrivers: @Sendable () -> DriverContext
    private let drivers: DriverContext
    private let isStopped = Atomic(false)

    /// Seconds for each part of connecting.
    private static let patience = 10
    private static let content = Array("argoexec check\n".utf8)

    /// - Parameters:
    ///   - file: the configuration: a config map, a repository, a template or a pod.
    ///   - key: which of a config map's repositories; nil for its default.
    ///   - secrets: folder with `NAME/KEY` files; nil: keys for S3 come from the environment.
    ///   - drivers: makes what requests need, each try a single one.
    /// - Throws: `SystemError`, `DocumentError` or `ExecutorError` for a file that says nothing of a store.
    package init(
        _ file: BytePath, key: String?, secrets: BytePath?, drivers: @escaping @Sendable (_ secrets: BytePath) -> DriverContext
    ) throws {
        try ObjectFolders(secrets: secrets).checkFolders()
        let source = try CheckSource(file, key: key, name: ".argoexec-check-\(RandomName.suffix())")
        location = secrets == nil ? try source.location.takingSDKCredentials() : source.location
        folder = source.folder
        self.secrets = secrets
        let place = secrets ?? SecretFiles.noFolder
        makeDrivers = { drivers(place) }
        self.drivers = makeDrivers()
    }

    /// Stops what is under way; the probe is still deleted. May be called from any thread.
    package func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        drivers.cancel()
    }

    /// Tries everything that earlier failures leave a chance to.
    package func run() -> CheckReport {
        var run = CheckRun(advice: CheckAdvice(location: location, hasSecrets: secrets != nil))
        attempt(&run)
        run.skipRest(of: expected)
        return CheckReport(subject: subject, steps: run.steps, isInterrupted: isStopped.load(ordering: .sequentiallyConsistent))
    }

    /// The location of the probe, for messages.
    private var subject: String {
        let driver = try? drivers.driver(for: location, artifactName: "probe")
        return driver?.subject ?? "\(location.driverKind?.rawValue ?? "")://…/\(folder)probe"
    }

    /// Whether it is the authority's secret that cannot be read, and not an address that makes no sense.
    private static func isAboutSecret(_ error: any Error) -> Bool { error is SystemError || error is MissingSecret }

    private var hasBucket: Bool { LocalStore.place(of: location) != nil }

    /// The steps that a store of this kind has.
    private var expected: [CheckStep.Name] {
        let url = (try? drivers.address(of: location))?.url ?? ""
        return CheckStep.Name.allCases.filter { name in
            switch name {
            case .name, .connection: !url.isEmpty
            case .tls: url.hasPrefix("https://")
            case .bucket: hasBucket
            case .clock: false
            case .configuration, .credentials, .put, .get, .list, .delete: true
            }
        }
    }

    private func attempt(_ run: inout CheckRun) {
        let kind = location.driverKind?.rawValue ?? "nothing"
        run.note(.configuration, .ok, "\(kind), keys below \(folder)", time: 0)
        guard connect(&run), let driver = makeDriver(&run) else { return }
        guard driver.canDelete else {
            readAbsent(driver, &run)
            for name in [CheckStep.Name.put, .get, .list, .delete] {
                run.note(name, .skipped, "not tried: \(kind) artifacts cannot be deleted, so a probe would be left", time: 0)
            }
            return
        }
        guard let isBucketKnown = knock(driver, &run) else { return }
        let failure = run.attempt(.put) {
            try StoreProbe(driver, drivers).put(Self.content, fileName: "probe")
        }
        if failure == nil, !isBucketKnown, hasBucket { run.note(.bucket, .ok, "it is there", time: 0) }
        if failure == nil { inspect(driver, &run) }
        remove(after: failure, &run)
    }

    // MARK: The way to the store

    private func connect(_ run: inout CheckRun) -> Bool {
        let address: StoreAddress
        let report: ConnectionReport
        let start = monotonicNanoseconds()
        do {
            guard let found = try drivers.address(of: location) else { return true }
            address = found
            report = try drivers.clients.client(trusting: address.trust).probe(address.url, timeout: Self.patience)
        } catch {
            // The address itself makes no sense, or the authority's secret is not there.
            let advice = Self.isAboutSecret(error) ? run.advice.credentials(error) : "the endpoint must be host[:port]"
            run.note(
                Self.isAboutSecret(error) ? .tls : .name, .failed, errorText(error), advice,
                time: monotonicNanoseconds() - start)
            return false
        }
        let host = (try? HTTPURL(address.url))?.bareHost ?? ""
        let isSecure = address.url.hasPrefix("https://")
        let proxied = report.proxy.map { " by the proxy \($0)" } ?? ""
        for (stage, time) in report.passed {
            switch stage {
            case .resolving: run.note(.name, .ok, host + proxied, time: time)
            case .connecting: run.note(.connection, .ok, report.address, time: time)
            case .handshaking:
                let whom = address.trust == nil ? "the system's authorities" : "caSecret"
                run.note(.tls, .ok, "certificate verified by \(whom)", time: time)
            case .asking: break
            }
        }
        if let (stage, time, error) = report.failure {
            let text = error.message
            switch stage {
            case .resolving: run.note(.name, .failed, text, run.advice.unresolved(host), time: time)
            case .connecting:
                let place = report.address.isEmpty ? address.url : report.address
                run.note(.connection, .failed, text, run.advice.unreachable(place, proxy: report.proxy), time: time)
            case .handshaking: run.note(.tls, .failed, text, run.advice.tls(text), time: time)
            case .asking:
                let advice = isSecure ? "" : run.advice.plainOnSecurePort
                run.fail(.connection, "no answer: \(text)", advice)
            }
            return false
        }
        return judge(report.answer, isSecure: isSecure, &run)
    }

    /// What the first answer tells besides its status: a port that wants TLS, a clock that is off.
    private func judge(_ answer: HTTPResponseHead?, isSecure: Bool, _ run: inout CheckRun) -> Bool {
        guard let answer else { return true }
        if !isSecure, answer.status == 400, answer.headers["x-amz-request-id"] == nil, answer.headers["Server"] != "MinIO" {
            run.fail(.connection, "the server answered 400 to plain HTTP", run.advice.plainOnSecurePort)
            return false
        }
        if let text = answer.headers["Date"], let theirs = HTTPDate.seconds(text) {
            let difference = Timestamp.now.seconds - theirs
            let words =
                abs(difference) < 2
                ? "it agrees with the store's"
                : "it is \(abs(difference)) s \(difference > 0 ? "ahead of" : "behind") the store's"
            run.note(
                .clock, abs(difference) < 900 ? .ok : .failed, words, abs(difference) < 900 ? "" : run.advice.clock, time: 0)
            return abs(difference) < 900
        }
        return true
    }

    // MARK: The store

    private func makeDriver(_ run: inout CheckRun) -> (any ArtifactDriver)? {
        do { return try drivers.driver(for: location, artifactName: "probe") } catch {
            let isOurs = CheckBlame(error) == .unsupported || error is ArtifactError
            run.note(
                isOurs ? .configuration : .credentials, .failed, errorText(error), isOurs ? "" : run.advice.credentials(error),
                time: 0)
            return nil
        }
    }

    /// Looks for the probe's folder: the first request that needs credentials and bucket.
    ///
    /// - Returns: whether it has told of the bucket; nil where there is no use in going on.
    private func knock(_ driver: any ArtifactDriver, _ run: inout CheckRun) -> Bool? {
        let start = monotonicNanoseconds()
        do {
            _ = try driver.isDirectory()
            run.note(.credentials, .ok, credentialsText, time: monotonicNanoseconds() - start)
            if hasBucket { run.note(.bucket, .ok, "it is there", time: 0) }
            return true
        } catch {
            let time = monotonicNanoseconds() - start
            let blame = CheckBlame(error)
            let text = errorText(error)
            if location.driverKind == .s3, Self.isForeign(error) {
                run.note(
                    .bucket, .failed, "the answer is not that of an S3 server: \(text)", run.advice.otherServer, time: time)
                return nil
            }
            switch blame {
            case .credentials: run.note(.credentials, .failed, text, run.advice.credentials(error), time: time)
            case .clock: run.note(.clock, .failed, text, run.advice.clock, time: time)
            case .region, .bucket:
                run.note(.credentials, .ok, credentialsText, time: time)
                run.note(.bucket, .failed, text, run.advice.refusal(blame, .bucket), time: 0)
            case .permission, .unsupported:
                run.note(.credentials, .ok, credentialsText, time: time)
                return false
            case .other: run.note(hasBucket ? .bucket : .credentials, .failed, text, time: time)
            }
            return nil
        }
    }

    /// Whether an answer to a list shows that no S3 server has given it: a page, another document, or an error in other words.
    private static func isForeign(_ error: any Error) -> Bool {
        guard let error = error as? ArtifactError else { return false }
        switch error.code {
        // Whatever stands before an S3 server, such as a proxy, says these by itself.
        case .refused(let status, _): return !error.isInStoresWords && status < 500
        case .notFound, .unsupported, .invalid, .changed, .exhausted, .cancelled: return false
        // The answer makes no sense as a list.
        default: return true
        }
    }

    private var credentialsText: String {
        secrets == nil && location.driverKind == .s3 ? "using credentials from the environment" : "accepted by the store"
    }

    /// For stores in which nothing may be left: what is not there must be told as absent, not as forbidden.
    private func readAbsent(_ driver: any ArtifactDriver, _ run: inout CheckRun) {
        let start = monotonicNanoseconds()
        do {
            if case .object(let object) = try driver.find() {
                try object.read(from: 0, length: nil, validator: nil) { _ in DiscardingSink() }
            }
        } catch let error as any ClassifiedError where error.isNotFound {
        } catch {
            let blame = CheckBlame(error)
            let advice = blame == .permission || blame == .credentials ? run.advice.credentials(error) : ""
            return run.note(.credentials, .failed, errorText(error), advice, time: monotonicNanoseconds() - start)
        }
        run.note(.credentials, .ok, credentialsText, time: monotonicNanoseconds() - start)
    }

    private func inspect(_ driver: any ArtifactDriver, _ run: inout CheckRun) {
        run.attempt(.get) {
            guard let bytes = try StoreProbe(driver, drivers).get() else {
                throw ExecutorError.failed("the probe is a directory")
            }
            guard bytes == Self.content else { throw ExecutorError.failed("the probe came back with different bytes") }
        }
        run.attempt(.list) {
            let below = try location.settingKey(String(folder.dropLast()))
            let driver = try drivers.driver(for: below, artifactName: "probe")
            guard try driver.list(after: nil).keys.contains(folder + "probe") else {
                throw ExecutorError.failed("the probe is not in the list")
            }
        }
    }

    /// Removes the probe, also where putting it failed: the store may have stored it anyway.
    private func remove(after failure: (any Error)?, _ run: inout CheckRun) {
        if let failure {
            if case .refused = (failure as? ArtifactError)?.code { return }
            // A request that was cut off may still be under way.
            for pause in [0, 250, 500, 1000, 2000] as [Int64] {
                sleepNanoseconds(pause * 1_000_000)
                if (try? removeProbe()) == true { return }
            }
            return
        }
        let start = monotonicNanoseconds()
        do {
            _ = try removeProbe()
            run.note(.delete, .ok, "", time: monotonicNanoseconds() - start)
        } catch {
            let advice = run.advice.refusal(CheckBlame(error), .delete)
            run.note(
                .delete, .failed, errorText(error),
                (advice.isEmpty ? "" : advice + "; ") + "\(subject) was left behind: delete it manually",
                time: monotonicNanoseconds() - start)
        }
    }

    /// Removes the probe, with connections of its own: those of the check may have been called off.
    ///
    /// - Returns: false where there is none.
    /// - Throws: the store's refusal; `ExecutorError` where the probe is still there.
    private func removeProbe() throws -> Bool {
        let driver = try makeDrivers().driver(for: location, artifactName: "probe")
        guard isThere(driver) != false else { return false }
        while try driver.delete(after: nil) != nil {}
        if isThere(driver) == true {
            throw ExecutorError.failed("the store reported the probe as deleted, but it is still there")
        }
        return true
    }

    /// Nil if it cannot be determined, e.g. without permission.
    private func isThere(_ driver: any ArtifactDriver) -> Bool? {
        do {
            _ = try driver.find()
            return true
        } catch let error as any ClassifiedError where error.isNotFound { return false } catch { return nil }
    }
}
