import Documents
import SystemSupport
import Testing
import WorkflowModel

@testable import ResourceTemplates

func resourceTemplate(_ fields: JSONValue, outputs: JSONValue = [:], inputs: JSONValue = [:], archivesLogs: Bool = false) throws
    -> Template
{
    try Template(
        document: [
            "name": "t", "inputs": inputs, "outputs": outputs, "resource": fields,
            "archiveLocation": ["archiveLogs": .bool(archivesLogs), "s3": ["bucket": "b", "key": "k"]],
        ])
}

@Suite struct KubectlArgumentsTests {
    private func words(_ fields: JSONValue, manifest: String = "kind: ConfigMap\n") throws -> String {
        let resource = try #require(try resourceTemplate(fields).resource)
        return try KubectlArguments(
            resource.action, resource, manifest: Array(manifest.utf8), at: "/tmp/manifest.yaml"
        ).words.joined(separator: " ")
    }

    @Test func theArgumentsAreTheReferences() throws {
        #expect(try words(["action": "create"]) == "create -f /tmp/manifest.yaml -o json")
        #expect(
            try words(["action": "create", "flags": ["--validate=false"]])
                == "create --validate=false -f /tmp/manifest.yaml -o json")
        #expect(try words(["action": "delete"]) == "delete --ignore-not-found -f /tmp/manifest.yaml -o name")
        #expect(
            try words(["action": "delete", "flags": ["configmap", "x"]], manifest: "")
                == "delete --ignore-not-found configmap x -o name")
        #expect(try words(["action": "get", "flags": ["job", "x"]], manifest: "") == "get job x -o json")
    }

    @Test func aPatchNamesItsObjectByFileOnlyWhereTheFileDoes() throws {
        let file = "--patch-file /tmp/manifest.yaml"
        #expect(try words(["action": "patch"]) == "patch --type strategic \(file) -f /tmp/manifest.yaml -o json")
        #expect(
            try words(["action": "patch", "mergeStrategy": "merge", "flags": ["configmap", "x"]], manifest: "data: {k: v}")
                == "patch --type merge \(file) configmap x -o json")
        #expect(
            try words(["action": "patch", "flags": ["-n", "x"]], manifest: "{kind: Job}")
                == "patch --type strategic \(file) -n x -f /tmp/manifest.yaml -o json")
        #expect(
            try words(
                ["action": "patch", "mergeStrategy": "json", "flags": ["job", "x"]], manifest: #"[{"op":"remove","path":"/a"}]"#
            )
                == "patch --type json \(file) job x -o json")
        let error = #expect(throws: ExecutorError.self) { try words(["action": "patch"], manifest: "[a]") }
        #expect(error?.message == "read the patch /tmp/manifest.yaml: a mapping is needed, found: array")
        #expect(throws: DocumentError.self) { try words(["action": "patch"], manifest: "a: [") }
    }

    @Test func neitherManifestNorFlagsIsAnError() {
        let error = #expect(throws: ExecutorError.self) { try words(["action": "get"], manifest: "") }
        #expect(error?.message == "get a resource: neither a manifest nor flags are given")
    }
}

@Suite struct KubectlFailureTests {
    private func failure(_ text: String, pattern: String = "never") -> KubectlFailure {
        KubectlFailure(standardError: Array(text.utf8), status: "ended", isTransientText: { $0.contains(pattern) })
    }

    @Test func theCauseIsWhatIsNoWarningAndNoLog() {
        let text = """
            Warning: resource configmaps/x is missing the annotation
            E1130 23:01:41.448448   123 memcache.go:265] "Unhandled Error" err="couldn't get current server API group list"
            error: resource mapping not found for name: "r" namespace: ""
            ensure CRDs are installed first

            """
        #expect(
            failure(text).message
                == "error: resource mapping not found for name: \"r\" namespace: \"\"\nensure CRDs are installed first")
        #expect(failure("Warning: w\n").message == "ended")
        #expect(failure("").message == "ended")
    }

    @Test(arguments: [
        ("Unable to connect to the server: net/http: TLS handshake timeout", true, false),
        ("Error from server: etcdserver: leader changed", true, false),
        ("Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout", true, false),
        ("Error from server (TooManyRequests): too many requests, please try again later", false, false),
        ("Error from server (ServiceUnavailable): the server is currently unable to handle the request", false, false),
        ("Error from server (Forbidden): configmaps is forbidden: exceeded quota", false, false),
        ("Error from server (NotFound): configmaps \"x\" not found", false, false),
        ("The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?", false, true),
        ("Unable to connect to the server: dial tcp 10.0.0.1:443: connect: no route to host", false, true),
        ("Unable to connect to the server: dial tcp: lookup x on 10.0.0.1:53: no such host", false, false),
    ])
    func onlyTheTextTellsWhetherAnAttemptMayHelp(text: String, isTransient: Bool, isUnreachable: Bool) {
        #expect(failure(text).isTransient == isTransient)
        #expect(failure(text).isUnreachable == isUnreachable)
        #expect(failure(text, pattern: "rror").isTransient == (isTransient || text.contains("rror")))
    }
}

@Suite struct KubernetesObjectTests {
    private func object(_ text: String) throws -> KubernetesObject {
        try KubernetesObject(kubectlOutput: Array(text.utf8), of: "create")
    }

    @Test func anObjectIsKnownByWhatKubectlPrints() throws {
        let job = try object(#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j","namespace":"n"}}"#)
        #expect(job == KubernetesObject(apiVersion: "batch/v1", kind: "Job", namespace: "n", name: "j"))
        #expect(job.fullName == "job.batch/j")
        #expect(try object(#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}"#).fullName == "namespace./n")
    }

    @Test(arguments: [
        "{\n    \"kind\": \"A\"\n}\n{\n    \"kind\": \"B\"\n}\n",
        #"{"apiVersion":"v1","kind":"List","items":[],"metadata":{"resourceVersion":""}}"#,
    ])
    func severalObjectsAreAnError(text: String) {
        let error = #expect(throws: ExecutorError.self) { try object(text) }
        #expect(
            error?.message == "create a resource: kubectl acted on a list of objects; a resource template is for a single one")
    }

    @Test(arguments: [#"{"kind":"A","metadata":{}}"#, #"{"metadata":{"name":"x"}}"#, "[]", "configmap/x created\n", ""])
    func whatIsNoObjectIsAnError(text: String) {
        let error = #expect(throws: ExecutorError.self) { try object(text) }
        #expect(error?.message.hasPrefix("read what kubectl create printed: ") == true)
    }

    @Test(arguments: [
        ("configmap", "configmaps"), ("ingress", "ingresses"), ("networkpolicy", "networkpolicies"), ("gateway", "gateways"),
        ("box", "boxes"), ("batch", "batches"), ("leaf", "leaves"), ("knife", "knives"), ("endpoints", "endpointses"),
        ("y", "ys"),
    ])
    func pluralsAreGuessedAsTheReferenceGuesses(name: String, plural: String) { #expect(EnglishPlural.of(name) == plural) }
}
