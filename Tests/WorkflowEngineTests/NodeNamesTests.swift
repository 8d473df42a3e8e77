import Testing
import WorkflowEngine
import WorkflowPlanning

@Suite struct NodeNamesTests {
    /// Vectors published with the algorithm.
    @Test(
        arguments: [
            ("", 0x811c_9dc5), ("a", 0xe40c_292c), ("b", 0xe70c_2de5), ("foo", 0xa9f3_7ed7), ("foobar", 0xbf9c_f968),
        ] as [(String, UInt32)])
    func hashesByFNV1a(_ text: String, _ hash: UInt32) { #expect(NodeNames.hash(text) == hash) }

    /// As a controller named them.
    @Test(arguments: [
        ("steps", "steps", "steps"), ("steps", "steps[0]", "steps-1561209758"), ("steps", "steps[0].hello1", "steps-215716891"),
        ("steps", "steps[1].hello2a[0].inner-hello1", "steps-905302892"),
    ])
    func namesNodesAsTheController(_ workflow: String, _ node: String, _ id: String) {
        #expect(NodeNames.nodeID(workflow: workflow, nodeName: node) == id)
    }

    @Test func namesPodsAfterWorkflowAndTemplate() {
        #expect(
            NodeNames.podName(workflow: "steps", nodeName: "steps[0].hello1", template: "print-message")
                == "steps-print-message-215716891")
        #expect(NodeNames.podName(workflow: "w", nodeName: "w", template: "t") == "w")
        #expect(NodeNames.podName(workflow: "steps", nodeName: "steps[0]", template: "") == "steps-1561209758")
    }

    @Test func podNamesFitKubernetes() {
        let long = String(repeating: "t", count: 300)
        let name = NodeNames.podName(workflow: "w", nodeName: "w.a", template: long)
        #expect(name.utf8.count <= 253)
        #expect(name == "w-" + long.prefix(240) + "-\(NodeNames.hash("w.a"))")
        let fits = String(repeating: "t", count: 240)
        #expect(NodeNames.podName(workflow: "w", nodeName: "w.a", template: fits).hasPrefix("w-\(fits)-"))
    }
}
