import FileTrees
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import LocalStoreArtifacts

@Suite struct LocalStoreLeftoverTests {
    /// A killed executor leaves half an object under a name that no key has; the next run removes it, but none that is being written.
    @Test func goWithTheNextRun() throws {
        let folder = try TemporaryFolder()
        let store = LocalStore(folder: BytePath(folder.url.path))
        for name in ["b/wf/pod/%aside-0000000000abc.tmp", "b/wf/pod/out.tgz", "b/.argoexec-0000000000abc.tmp", "b/%aside-x"] {
            try folder.write(Data("x".utf8), to: name)
        }
        let parent = try ContainedDirectory(store.folder.appending("b/wf"))
        let live = try TemporaryFile.make(in: parent, names: LocalStoreDriver.aside, subject: "live")
        store.sweep()
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).sorted()
        #expect(left.count == 7)
        #expect(!left.contains("b/wf/pod/%aside-0000000000abc.tmp"))
        #expect(left.contains("b/.argoexec-0000000000abc.tmp"), "here that is a key like any other")
        try live.publish(as: "whole", mode: nil)
        #expect(
            try LocalStoreDriver(folder: store.folder, bucket: "b", key: "wf").list(after: nil).keys == [
                "wf/pod/out.tgz", "wf/whole",
            ])
    }
}
