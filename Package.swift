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
        room("SystemSupport", ["CThreadShims"]),
        room("Documents", ["SystemSupport", "CYAML"]),
        room("Expressions", ["SystemSupport", "Documents", "CRE2"]),
        room("Conditions", ["SystemSupport", "Expressions"]),
        room("WorkflowModel", ["SystemSupport", "Documents"]),
        room("ProcessControl", ["SystemSupport", "CLinuxShims"]),
        room("FileTrees", ["SystemSupport", "CLinuxShims"]),
        room("RunDirectory", ["SystemSupport", "FileTrees", "CLinuxShims"]),
        room("Archiving", ["SystemSupport", "FileTrees", "CArchive", "CDeflate", "CISAL", "CZlib"]),

        // The network
        room("HTTPTransport", ["SystemSupport", "CCurl", "CCurlShims", "CZlib"]),
        room("RequestSigning", ["SystemSupport", "CCrypto", "CArgon2"]),
        room("Formats", ["CExpat", "CISAL", "CRE2"]),
        room(
            "Artifacts",
            [
                "SystemSupport", "Documents", "WorkflowModel", "FileTrees", "HTTPTransport", "RequestSigning", "Formats",
                "ProcessControl",
            ]),
        room(
            "KubernetesAPI",
            ["SystemSupport", "Documents", "WorkflowModel", "ProcessControl", "HTTPTransport", "RequestSigning"]),

        // The roles
        room(
            "Emissary",
            ["SystemSupport", "Documents", "RunDirectory", "WorkflowModel", "ProcessControl", "FileTrees", "Archiving"]),
        room(
            "Executor",
            [
                "SystemSupport", "Documents", "Expressions", "WorkflowModel", "RunDirectory", "ProcessControl", "FileTrees",
                "Archiving",
                "Artifacts", "KubernetesAPI",
            ]),
        room("WorkflowEngine", ["SystemSupport", "Documents", "WorkflowModel"]),
        room(
            "LocalRunner",
            [
                "SystemSupport", "Documents", "WorkflowModel", "WorkflowEngine", "RunDirectory", "ProcessControl", "FileTrees",
                "Archiving", "HTTPTransport", "Artifacts", "Executor", "RequestSigning",
            ]),
        room("CommandLineInterface", ["SystemSupport"]),
        room(
            "ExecutorCommands",
            [
                "CommandLineInterface", "SystemSupport", "WorkflowModel", "RunDirectory", "ProcessControl", "Formats",
                "HTTPTransport", "Artifacts", "KubernetesAPI", "Executor", "Emissary", "LocalRunner",
            ]),
        .executableTarget(name: "argoexec", dependencies: ["ExecutorCommands", "SystemSupport"], swiftSettings: strict),

        // Tests
        .target(name: "TestSupport", dependencies: ["SystemSupport"], path: "Tests/TestSupport"),
        .testTarget(name: "CLinuxShimsTests", dependencies: ["CLinuxShims", "TestSupport"]),
        .testTarget(name: "CRE2Tests", dependencies: ["CRE2"]),
        tests("SystemSupport"),
        tests("Documents", ["SystemSupport"]),
        tests("Expressions", ["Documents"]),
        tests("Conditions"),
        tests("WorkflowModel", ["SystemSupport", "Documents"]),
        tests("RunDirectory", ["SystemSupport", "FileTrees", "TestSupport"]),
        tests("ProcessControl", ["SystemSupport", "TestSupport"]),
        tests("FileTrees", ["SystemSupport"]),
        tests("Archiving", ["SystemSupport", "FileTrees"]),
        tests("HTTPTransport", ["SystemSupport", "TestSupport"]),
        tests("RequestSigning", ["SystemSupport"]),
        tests("Formats"),
        tests(
            "Artifacts",
            [
                "SystemSupport", "Documents", "WorkflowModel", "HTTPTransport", "FileTrees", "Formats", "RequestSigning",
                "TestSupport",
            ]),
        tests("KubernetesAPI", ["SystemSupport", "Documents", "WorkflowModel", "HTTPTransport", "TestSupport"]),
        .testTarget(name: "EmissaryTests", dependencies: ["SystemSupport", "RunDirectory", "ProcessControl", "TestSupport"]),
        tests(
            "Executor",
            [
                "SystemSupport", "WorkflowModel", "Documents", "Artifacts", "RunDirectory", "FileTrees", "HTTPTransport",
                "RequestSigning", "Archiving", "KubernetesAPI", "ProcessControl", "TestSupport",
            ]),
        tests("WorkflowEngine", ["SystemSupport", "Documents", "WorkflowModel"]),
        tests(
            "LocalRunner",
            [
                "SystemSupport", "Artifacts", "Documents", "HTTPTransport", "ProcessControl", "WorkflowModel", "WorkflowEngine",
                "TestSupport",
            ]),
        tests("CommandLineInterface", ["SystemSupport"]),
        tests("ExecutorCommands", ["Artifacts", "CommandLineInterface", "SystemSupport", "TestSupport"]),
        .testTarget(name: "EndToEndTests", dependencies: ["SystemSupport", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
