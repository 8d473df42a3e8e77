import TestSupport
import Testing

@Suite(.requires(.seaweedFS)) struct SeaweedFSConformanceTests {
    @Test(arguments: Conformance.all) func conforms(check: Conformance) async throws {
        try check.body(try await .make(on: .seaweedFS))
    }
}

@Suite(.requires(.minIO)) struct MinIOConformanceTests {
    @Test(arguments: Conformance.all) func conforms(check: Conformance) async throws {
        try check.body(try await .make(on: .minIO))
    }
}

@Suite struct LocalStoreConformanceTests {
    @Test(arguments: Conformance.all) func conforms(check: Conformance) throws { try check.body(.makeLocal()) }
}
