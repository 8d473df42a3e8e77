// swift-tools-version: 6.2
// One target a room (what each may use is declared here and checked by `scripts/check`).
import PackageDescription

/// Strict settings for every Swift target: no implicit imports, no unmarked unsafe code, no warnings.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A library of Debian's, found by its pkg-config name.
func system(_ name: String, pkgConfig: String, debian: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

/// A Swift library target and what it may import.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The driver for one kind of store, in a folder of its own below the driver's room, and what it needs besides that room.
func store(_ name: String, _ folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: ["Artifacts", "SystemSupport", "WorkflowModel"] + dependencies,
        path: "Sources/Artifacts/\(folder)", swiftSettings: strict)
}

/// The tests of one library; they may import Foundation and need not mark unsafe code.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies)
}

let package = Package(
    name: "argoexec",
    products: [.executable(name: "argoexec", targets: ["argoexec"])],
    targets: [
        // C libraries
        system("CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
        system("CArchive", pkgConfig: "libarchive", debian: "libarchive-dev"),
        system("CDeflate", pkgConfig: "libdeflate", debian: "libdeflate-dev"),
        system("CISAL", pkgConfig: "libisal", debian: "libisal-dev"),
        system("CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
        system("CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
        system("CArgon2", pkgConfig: "libargon2", debian: "libargon2-dev"),
        system("CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
        system("CExpat", pkgConfig: "expat", debian: "libexpat1-dev"),
        system("CRE2Library", pkgConfig: "re2", debian: "libre2-dev"),
        .target(name: "CCurlShims", dependencies: ["CCurl"]),
        .target(name: "CLinuxShims"),
        // Apart from the others: their headers define structures of the C library anew, which all users of the core would see.
        .target(name: "CThreadShims"),
        .target(name: "CRE2", dependencies: ["CRE2Library"]),

        // What everything stands on
        room("SystemSupport", ["CThreadShims"]),
        room("Encodings", ["SystemSupport"]),
        room("Digests", ["SystemSupport", "CCrypto", "CArgon2", "CISAL"]),
        room("RegularExpressions", ["CRE2"]),
        room("Documents", ["SystemSupport", "CYAML", "CExpat"]),
        room("ExpressionValues", ["SystemSupport", "Encodings", "Documents"]),
        room("Expressions", ["SystemSupport", "Encodings", "Documents", "RegularExpressions", "ExpressionValues"]),
        room("Conditions", ["SystemSupport", "Expressions", "ExpressionValues", "RegularExpressions"]),
        room("WorkflowModel", ["SystemSupport", "Encodings", "Documents"]),
        room("ProcessControl", ["SystemSupport", "CLinuxShims"]),
        room("FileTrees", ["SystemSupport", "CLinuxShims"]),
        room("RunDirectory", ["SystemSupport", "Encodings", "FileTrees", "CLinuxShims"]),
        room("Archiving", ["SystemSupport", "FileTrees", "CArchive", "CDeflate", "CISAL", "CZlib"]),

        // The network
        room("Tracing", ["SystemSupport"]),
        room("HTTPTransport", ["SystemSupport", "Tracing", "CCurl", "CCurlShims", "CZlib"]),
        room("RemoteProcedures", ["SystemSupport", "Encodings", "HTTPTransport"]),
        room("TraceExport", ["SystemSupport", "Encodings", "Tracing", "HTTPTransport", "RemoteProcedures", "CDeflate"]),
        room("RequestSigning", ["SystemSupport", "Encodings", "Digests"]),
        // Stores: what every driver needs, a folder for each, and the registry, which alone knows them all
        .target(
            name: "Artifacts",
            dependencies: ["SystemSupport", "Encodings", "Digests", "WorkflowModel", "FileTrees", "HTTPTransport"],
            path: "Sources/Artifacts", sources: ["Driver", "Transfer", "Credentials"], swiftSettings: strict),
        store(
            "S3Artifacts", "S3",
            ["Encodings", "Digests", "Documents", "FileTrees", "HTTPTransport", "RequestSigning", "ProcessControl"]),
        store("HTTPArtifacts", "HTTP", ["Encodings", "Digests", "Documents", "HTTPTransport"]),
        store("LocalStoreArtifacts", "LocalStore", ["FileTrees", "Encodings"]),
        store("RawArtifacts", "Raw"),
        store("PluginArtifacts", "Plugin", ["FileTrees", "HTTPTransport", "RemoteProcedures"]),
        store("GitArtifacts", "Git", ["Encodings", "FileTrees", "HTTPTransport", "ProcessControl"]),
        store("GCSArtifacts", "GCS", ["Encodings", "Digests", "Documents", "HTTPTransport", "RequestSigning"]),
        .target(
            name: "ArtifactRegistry",
            dependencies: [
                "Artifacts", "S3Artifacts", "HTTPArtifacts", "LocalStoreArtifacts", "RawArtifacts", "PluginArtifacts",
                "GitArtifacts", "GCSArtifacts",
                "WorkflowModel",
            ],
            path: "Sources/Artifacts/Registry", swiftSettings: strict),
        room(
            "KubernetesAPI",
            ["SystemSupport", "Encodings", "Documents", "WorkflowModel", "ProcessControl", "HTTPTransport"]),

        // The roles
        room(
            "Emissary",
            [
                "SystemSupport", "Documents", "RunDirectory", "WorkflowModel", "ProcessControl", "FileTrees", "Archiving",
                "Tracing",
            ]),
        room(
            "Executor",
            [
                "SystemSupport", "Documents", "Expressions", "ExpressionValues", "WorkflowModel", "RunDirectory",
                "ProcessControl", "FileTrees",
                "Archiving", "Artifacts", "KubernetesAPI", "Tracing",
            ]),
        room(
            "ResourceTemplates",
            ["SystemSupport", "Documents", "WorkflowModel", "ProcessControl", "FileTrees", "KubernetesAPI", "Executor"]),
        room(
            "ArtifactCollection",
            ["SystemSupport", "Documents", "WorkflowModel", "RunDirectory", "Artifacts", "KubernetesAPI"]),
        room(
            "Agent",
            [
                "SystemSupport", "Encodings", "Documents", "WorkflowModel", "FileTrees", "HTTPTransport", "KubernetesAPI",
            ]),

        // A developer's machine
        room("WorkflowFiles", ["SystemSupport", "Documents", "WorkflowModel"]),
        room(
            "WorkflowPlanning",
            ["SystemSupport", "Documents", "Expressions", "ExpressionValues", "WorkflowModel", "WorkflowFiles"]),
        room(
            "WorkflowEngine",
            [
                "SystemSupport", "Documents", "Expressions", "ExpressionValues", "Conditions", "WorkflowModel", "WorkflowFiles",
                "WorkflowPlanning",
            ]),
        room(
            "PodSandbox",
            [
                "SystemSupport", "Encodings", "Documents", "RunDirectory", "ProcessControl", "FileTrees", "Archiving",
            ]),
        room(
            "PodBuilding",
            [
                "SystemSupport", "Documents", "WorkflowModel", "WorkflowFiles", "WorkflowPlanning", "WorkflowEngine",
                "PodSandbox",
            ]),
        room(
            "StoreChecking",
            ["SystemSupport", "Documents", "WorkflowModel", "HTTPTransport", "Artifacts", "PodSandbox", "PodBuilding"]),
        room(
            "LocalRunner",
            [
                "SystemSupport", "Documents", "WorkflowModel", "WorkflowFiles", "WorkflowPlanning", "WorkflowEngine",
                "PodSandbox", "PodBuilding",
                "RunDirectory", "ProcessControl", "FileTrees", "Archiving", "HTTPTransport", "Artifacts",
                "LocalStoreArtifacts", "ArtifactRegistry", "Executor",
            ]),

        // The program
        room("CommandLineInterface", ["SystemSupport"]),
        room(
            "ExecutorCommands",
            [
                "CommandLineInterface", "SystemSupport", "Documents", "WorkflowModel", "RunDirectory", "ProcessControl",
                "RegularExpressions", "HTTPTransport", "Artifacts", "PluginArtifacts", "ArtifactRegistry", "KubernetesAPI",
                "Executor", "Emissary", "ResourceTemplates", "ArtifactCollection", "Agent", "PodSandbox", "StoreChecking",
                "LocalRunner",
                "Tracing", "TraceExport", "Expressions", "ExpressionValues",
            ]),
        .executableTarget(name: "argoexec", dependencies: ["ExecutorCommands", "SystemSupport"], swiftSettings: strict),

        // Tests
        .target(name: "TestSupport", dependencies: ["SystemSupport"], path: "Tests/TestSupport"),
        .testTarget(name: "CLinuxShimsTests", dependencies: ["CLinuxShims", "TestSupport"]),
        .testTarget(name: "CRE2Tests", dependencies: ["CRE2"]),
        tests("SystemSupport"),
        tests("Documents", ["SystemSupport"]),
        tests("Expressions", ["Documents", "ExpressionValues"]),
        tests("Conditions", ["ExpressionValues"]),
        tests("WorkflowModel", ["SystemSupport", "Documents"]),
        tests("RunDirectory", ["SystemSupport", "FileTrees", "TestSupport"]),
        tests("ProcessControl", ["SystemSupport", "TestSupport"]),
        tests("FileTrees", ["SystemSupport"]),
        tests("Archiving", ["SystemSupport", "FileTrees"]),
        tests("HTTPTransport", ["SystemSupport", "TestSupport"]),
        tests("Tracing", ["SystemSupport"]),
        tests("TraceExport", ["SystemSupport", "Tracing", "HTTPTransport", "RemoteProcedures", "TestSupport"]),
        tests("Encodings"),
        tests("Digests", ["SystemSupport", "RequestSigning"]),
        tests("RegularExpressions"),
        tests("RequestSigning", ["SystemSupport", "Encodings", "Digests"]),
        tests(
            "Artifacts",
            [
                "S3Artifacts", "GCSArtifacts", "LocalStoreArtifacts", "RawArtifacts", "PluginArtifacts", "GitArtifacts",
                "ArtifactRegistry", "SystemSupport",
                "Encodings", "Digests", "RegularExpressions", "Documents", "WorkflowModel", "HTTPTransport", "FileTrees",
                "RequestSigning", "TestSupport",
            ]),
        tests("KubernetesAPI", ["SystemSupport", "Documents", "WorkflowModel", "HTTPTransport", "TestSupport"]),
        .testTarget(name: "EmissaryTests", dependencies: ["SystemSupport", "RunDirectory", "ProcessControl", "TestSupport"]),
        tests(
            "Executor",
            [
                "SystemSupport", "WorkflowModel", "Documents", "Artifacts", "ArtifactRegistry", "PluginArtifacts",
                "RunDirectory",
                "FileTrees", "HTTPTransport", "Digests", "Archiving", "KubernetesAPI", "ProcessControl", "TestSupport",
            ]),
        tests("WorkflowFiles", ["Documents", "WorkflowModel"]),
        tests(
            "WorkflowEngine",
            ["SystemSupport", "Documents", "WorkflowModel", "WorkflowFiles", "WorkflowPlanning", "TestSupport"]),
        .target(
            name: "SandboxTestSupport", dependencies: ["SystemSupport", "Documents", "PodSandbox", "TestSupport"],
            path: "Tests/SandboxTestSupport"),
        tests("PodSandbox", ["SystemSupport", "Documents", "SandboxTestSupport", "TestSupport"]),
        tests("PodBuilding", ["SystemSupport", "Documents", "WorkflowModel", "WorkflowEngine", "SandboxTestSupport"]),
        tests(
            "StoreChecking",
            [
                "SystemSupport", "Artifacts", "ArtifactRegistry", "Documents", "FileTrees", "HTTPTransport", "WorkflowModel",
                "TestSupport",
            ]),
        tests(
            "ArtifactCollection",
            [
                "SystemSupport", "Documents", "Artifacts", "ArtifactRegistry", "HTTPTransport", "KubernetesAPI", "TestSupport",
            ]),
        tests("Agent", ["SystemSupport", "Documents", "HTTPTransport", "KubernetesAPI", "TestSupport"]),
        tests(
            "ResourceTemplates",
            [
                "SystemSupport", "Documents", "WorkflowModel", "ProcessControl", "HTTPTransport", "KubernetesAPI", "Executor",
                "TestSupport",
            ]),
        tests(
            "LocalRunner",
            [
                "SystemSupport", "Artifacts", "ArtifactRegistry", "Documents", "HTTPTransport", "PodBuilding",
                "PodSandbox", "ProcessControl", "WorkflowFiles", "WorkflowPlanning", "WorkflowEngine", "WorkflowModel",
                "SandboxTestSupport",
                "TestSupport",
            ]),
        tests("CommandLineInterface", ["SystemSupport"]),
        tests("ExecutorCommands", ["Artifacts", "CommandLineInterface", "SystemSupport", "TestSupport"]),
        .testTarget(name: "EndToEndTests", dependencies: ["SystemSupport", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
