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
        room("ExecutorCore", ["CThreadShims"]),
        room("Documents", ["ExecutorCore", "CYAML"]),
        room("WorkflowModel", ["ExecutorCore", "Documents"]),
        room("ProcessControl", ["ExecutorCore", "CLinuxShims"]),
        room("FileTrees", ["ExecutorCore", "CLinuxShims"]),
        room("RunDirectory", ["ExecutorCore", "FileTrees", "CLinuxShims"]),
        room("Archiving", ["ExecutorCore", "FileTrees", "CArchive", "CDeflate", "CISAL", "CZlib"]),

        // The network
        room("HTTPTransport", ["ExecutorCore", "CCurl", "CCurlShims", "CZlib"]),
        room("RequestSigning", ["ExecutorCore", "CCrypto", "CArgon2"]),
        room("Formats", ["CExpat", "CISAL", "CRE2"]),
        room(
            "Artifacts",
            [
                "ExecutorCore", "Documents", "WorkflowModel", "FileTrees", "HTTPTransport", "RequestSigning", "Formats",
                "ProcessControl",
            ]),
        room(
            "KubernetesAPI",
            ["ExecutorCore", "Documents", "WorkflowModel", "ProcessControl", "HTTPTransport", "RequestSigning"]),

        // The roles
        room(
            "Emissary",
            ["ExecutorCore", "Documents", "RunDirectory", "WorkflowModel", "ProcessControl", "FileTrees", "Archiving"]),
        room(
            "Executor",
            [
                "ExecutorCore", "WorkflowModel", "RunDirectory", "ProcessControl", "FileTrees", "Archiving", "Artifacts",
                "KubernetesAPI",
            ]),
        room("WorkflowEngine", ["ExecutorCore", "Documents", "WorkflowModel"]),
        room(
            "LocalRunner",
            [
                "ExecutorCore", "Documents", "WorkflowModel", "WorkflowEngine", "RunDirectory", "ProcessControl", "FileTrees",
                "Archiving", "HTTPTransport", "Artifacts", "Executor", "RequestSigning",
            ]),
        room("CommandLineInterface", ["ExecutorCore"]),
        room(
            "ExecutorCommands",
            [
                "CommandLineInterface", "ExecutorCore", "WorkflowModel", "RunDirectory", "ProcessControl", "Formats",
                "HTTPTransport", "Artifacts", "KubernetesAPI", "Executor", "Emissary", "LocalRunner",
            ]),
        .executableTarget(name: "argoexec", dependencies: ["ExecutorCommands", "ExecutorCore"], swiftSettings: strict),

        // Tests
        .target(name: "TestSupport", dependencies: ["ExecutorCore"], path: "Tests/TestSupport"),
        .testTarget(name: "CLinuxShimsTests", dependencies: ["CLinuxShims", "TestSupport"]),
        .testTarget(name: "CRE2Tests", dependencies: ["CRE2"]),
        tests("ExecutorCore"),
        tests("Documents", ["ExecutorCore"]),
        tests("WorkflowModel", ["ExecutorCore", "Documents"]),
        tests("RunDirectory", ["ExecutorCore", "FileTrees", "TestSupport"]),
        tests("ProcessControl", ["ExecutorCore", "TestSupport"]),
        tests("FileTrees", ["ExecutorCore"]),
        tests("Archiving", ["ExecutorCore", "FileTrees"]),
        tests("HTTPTransport", ["ExecutorCore", "TestSupport"]),
        tests("RequestSigning", ["ExecutorCore"]),
        tests("Formats"),
        tests(
            "Artifacts",
            [
                "ExecutorCore", "Documents", "WorkflowModel", "HTTPTransport", "FileTrees", "Formats", "RequestSigning",
                "TestSupport",
            ]),
        tests("KubernetesAPI", ["ExecutorCore", "Documents", "WorkflowModel", "HTTPTransport", "TestSupport"]),
        .testTarget(name: "EmissaryTests", dependencies: ["ExecutorCore", "RunDirectory", "ProcessControl", "TestSupport"]),
        tests(
            "Executor",
            [
                "ExecutorCore", "WorkflowModel", "Documents", "Artifacts", "RunDirectory", "FileTrees", "HTTPTransport",
                "RequestSigning", "Archiving", "KubernetesAPI", "ProcessControl", "TestSupport",
            ]),
        tests("WorkflowEngine", ["ExecutorCore", "Documents", "WorkflowModel"]),
        tests(
            "LocalRunner",
            [
                "ExecutorCore", "Artifacts", "Documents", "HTTPTransport", "ProcessControl", "WorkflowModel", "WorkflowEngine",
                "TestSupport",
            ]),
        tests("CommandLineInterface", ["ExecutorCore"]),
        tests("ExecutorCommands", ["Artifacts", "CommandLineInterface", "ExecutorCore", "TestSupport"]),
        .testTarget(name: "EndToEndTests", dependencies: ["ExecutorCore", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
