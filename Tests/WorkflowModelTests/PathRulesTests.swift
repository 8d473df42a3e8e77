import Documents
import Testing
import WorkflowModel

@Suite struct PathRulesTests {
    @Test(arguments: [
        ("/a/b", "/a/b"), ("/a//b/", "/a/b"), ("/a/./b/.", "/a/b"), ("/a/b/./", "/a/b"), ("/a/b///", "/a/b"), ("/", "/"),
        ("a/b", "a/b"),
        ("/a/b/../b/c", "/a/b/c"), ("/a//b/../b/c", "/a/b/c"), ("/../x", "/x"), ("/..", "/"), ("/a/..b", "/a/..b"),
        ("/a/b..", "/a/b.."),
        ("/a/...", "/a/..."), ("/tmp/ü\n x", "/tmp/ü\n x"),
    ])
    func cleansPaths(_ path: String, _ cleaned: String) throws {
        #expect(try PathRules.cleanPath(path) == cleaned)
    }

    @Test(arguments: [
        "", "/a/..", "/a/b/..", "/a/../b", "/a/b/../c", "/tmp/user/../../etc/passwd", "/tmp/x/../x", "/a/b/../b", "..", "../x",
        "a/../b",
        "a/../../b", "./../x", "/a\0b",
    ])
    func rejectsPathTraversal(_ path: String) {
        #expect(throws: ModelError.self) { try PathRules.cleanPath(path) }
    }

    private static let mounts = [
        VolumeMount(name: "a", mountPath: "/data"), VolumeMount(name: "b", mountPath: "/data/deep/"),
        VolumeMount(name: "c", mountPath: "/x//y"), VolumeMount(name: "d", mountPath: ""),
    ]

    @Test(
        arguments: [
            ("/data", "a"), ("/data/", "a"), ("/data/f", "a"), ("/data/deep", "b"), ("/data/deep/er/f", "b"),
            ("/data/deeper", "a"),
            ("/x/y/z", "c"), ("/x/./y", "c"), ("/database", nil), ("/dat", nil), ("/", nil), ("/x", nil),
        ] as [(String, String?)])
    func theDeepestVolumeCountsByComponents(_ path: String, _ name: String?) {
        #expect(PathRules.overlappingVolume(path: path, mounts: Self.mounts)?.name == name)
    }

    @Test func aVolumeAtTheRootHoldsEverything() {
        let mounts = [VolumeMount(name: "root", mountPath: "/")] + Self.mounts
        #expect(PathRules.overlappingVolume(path: "/etc", mounts: mounts)?.name == "root")
        #expect(PathRules.overlappingVolume(path: "/data/f", mounts: mounts)?.name == "a")
    }

    private static let template = #"""
        {"inputs":{"artifacts":[{"name":"absent","path":"/in/absent/","optional":true},
        {"name":"keyed","path":"/in//keyed","optional":true,"s3":{"key":"k"}},{"name":"pathless","raw":{"data":"x"}},
        {"name":"outer","path":"/in","raw":{"data":"x"}},{"name":"onvol","path":"/vol/in","raw":{"data":"x"}}]},
        "container":{"volumeMounts":[{"name":"v","mountPath":"/vol"}]}}
        """#

    @Test(arguments: [
        // On a volume, whatever the inputs are.
        ("/vol", OutputOrigin.mirror(mountPath: "/vol"), OutputOrigin.mirror(mountPath: "/vol")),
        ("/vol/in/x", .mirror(mountPath: "/vol"), .mirror(mountPath: "/vol")),
        // At or below an input that was not supplied.
        ("/in/absent", .baseImage, .baseImage), ("/in/absent/x", .baseImage, .baseImage),
        // At or below an input: mounted in the one layout, linked in the other. The first input that fits decides.
        ("/in/keyed", .mirror(mountPath: "/in//keyed"), .baseImage),
        ("/in/keyed//x/", .mirror(mountPath: "/in//keyed"), .baseImage),
        ("/in/keyed2", .mirror(mountPath: "/in"), .baseImage), ("/in/", .mirror(mountPath: "/in"), .baseImage),
        // Anywhere else.
        ("/inner", .baseImage, .baseImage), ("/out", .baseImage, .baseImage), ("/", .baseImage, .baseImage),
    ])
    func originOfOutputs(_ path: String, _ legacy: OutputOrigin, _ initless: OutputOrigin) throws {
        let template = try Template.load(from: Array(Self.template.utf8))
        #expect(PathRules.origin(ofOutput: path, in: template, isInitless: false) == legacy)
        #expect(PathRules.origin(ofOutput: path, in: template, isInitless: true) == initless)
    }

    // MARK: File names and keys

    @Test(
        arguments: [
            (nil, "n.tgz", "n.tgz"), (.tar(compressionLevel: nil), "n.tgz", "n.tgz"),
            (.tar(compressionLevel: 9), "n.tgz", "n.tgz"),
            (.empty, "n.tgz", "file.txt"), (.asIs, "file.txt", "file.txt"), (.zip, "n.zip", "n.zip"),
        ] as [(ArchiveStrategy?, String, String)])
    func fileNamesFollowTheArchiveAndTheOrigin(_ archive: ArchiveStrategy?, _ mirrored: String, _ base: String) {
        func name(_ origin: OutputOrigin) -> String {
            OutputFileName.of(artifactName: "n", path: "/out/file.txt", archive: archive, origin: origin)
        }
        #expect(name(.mirror(mountPath: "/out")) == mirrored)
        #expect(name(.baseImage) == base)
    }

    @Test(arguments: [
        ("a", "b", "a/b"), ("a/", "b", "a/b"), ("", "b", "b"), ("a//x/../y", "b", "a/y/b"), ("/a", "b", "/a/b"), ("", "", ""),
        ("a", "", "a"),
        (".", "b", "b"), ("a", "../b", "b"), ("", "/", "/"),
    ])
    func keysAreJoinedAsGoJoinsPaths(_ left: String, _ right: String, _ joined: String) {
        #expect(OutputFileName.joinKey(left, right) == joined)
    }

    @Test func logsAreNamedAfterTheirContainer() { #expect(OutputFileName.ofLog(containerName: "main") == "main.log") }
}

@Suite struct ResultTextTests {
    @Test(arguments: [("", ""), ("\n", ""), ("a\n", "a"), ("a\n\n", "a\n"), ("a\r\n", "a\r"), ("\na", "\na"), ("a", "a")])
    func oneNewlineAtTheEndIsDropped(_ text: String, _ expected: String) {
        #expect(ResultText.result(tail: Array(text.utf8)) == expected)
        #expect(ResultText.parameter(Array(text.utf8)) == expected)
    }

    @Test func invalidBytesBecomeReplacements() {
        #expect(ResultText.result(tail: [0x61, 0xE4, 0x0A]) == "a\u{FFFD}")
        #expect(ResultText.parameter([0xFF, 0x62]) == "\u{FFFD}b")
    }

    /// What a reader of the file's end hands over.
    private func result(of file: [UInt8]) -> String { ResultText.result(tail: Array(file.suffix(ResultText.tailLength))) }

    @Test func exactlyTheLimitIsKeptWhole() {
        let exact = [UInt8](repeating: 0x61, count: ResultText.limit)
        #expect(result(of: exact).utf8.count == ResultText.limit)
        #expect(result(of: exact + [0x0A]).utf8.count == ResultText.limit)
    }

    @Test func ofMoreTheEndCounts() {
        let long = Array("x".utf8) + [UInt8](repeating: 0x61, count: ResultText.limit - 1) + Array("z\n".utf8)
        let text = result(of: long)
        #expect(text.utf8.count == ResultText.limit)
        #expect(text.hasPrefix("aaa") && text.hasSuffix("az"))
    }

    @Test(arguments: [1, 2, 3])
    func theCutMovesToTheNextCharacter(_ cut: Int) {
        // A character of four bytes stands across the limit, `cut` of its bytes before it.
        for newline in [[], [0x0A]] as [[UInt8]] {
            let rest = [UInt8](repeating: 0x61, count: ResultText.limit - (4 - cut))
            let text = result(of: [UInt8](repeating: 0x62, count: 100) + Array("😀".utf8) + rest + newline)
            #expect(text == String(repeating: "a", count: rest.count))
        }
    }

    @Test func aCharacterAtTheCutIsKept() {
        let text = result(of: Array("b😀".utf8) + [UInt8](repeating: 0x61, count: ResultText.limit - 4))
        #expect(text.hasPrefix("😀a"))
    }

    @Test func strayContinuationBytesCannotEatTheResult() {
        let text = result(of: [UInt8](repeating: 0x80, count: ResultText.limit + 10))
        #expect(text.unicodeScalars.count == ResultText.limit - 3)
    }

    @Test func parametersHaveNoLimit() {
        #expect(ResultText.parameter([UInt8](repeating: 0x61, count: 300_000)).utf8.count == 300_000)
    }
}
