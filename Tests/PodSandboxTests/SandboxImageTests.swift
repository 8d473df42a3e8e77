import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// Root file systems that are given for images.
@Suite(
    .serialized,
    .enabled(
        if: SandboxFixture.isUsable && access("/usr/bin/python3", X_OK) == 0 && access("/usr/bin/ldd", X_OK) == 0,
        "needs bubblewrap, /usr/bin/python3 and ldd"))
struct SandboxImageTests {
    /// Makes a folder with a shell and a few programs of this machine, and what they need.
    private func makeRoot(_ fixture: SandboxFixture, _ name: BytePath) throws -> BytePath {
        let root = fixture.folder.appending(name)
        try runShell(
            """
            set -e
            mkdir -p "$1/bin" "$1/etc" "$1/tmp" "$1/real/run" "$1/var"
            ln -s /real/run "$1/var/run"
            for program in sh cat ls id touch mkdir rm stat env readlink sort; do
                file=$(command -v $program)
                cp -L "$file" "$1/bin/"
                for library in $(ldd "$file" | grep -o '/[^ ]*'); do
                    mkdir -p "$1$(dirname "$library")"
                    cp -L "$library" "$1$library"
                done
            done
            printf 'root:x:0:0::/root:/bin/sh\\nworker:x:4242:4343::/home/worker:/bin/sh\\n' > "$1/etc/passwd"
            printf 'root:x:0:\\nworkers:x:4343:\\nextra:x:4444:worker\\n' > "$1/etc/group"
            mkdir -p "$1/home/worker"
            echo original > "$1/file"
            chmod 755 "$1" "$1"/*
            """, [root])
        return root
    }

    @Test func givesEachStepACopyOfAFolder() throws {
        let fixture = try Fixture()
        let root = try makeRoot(fixture, "image")
        fixture.settings.images = ImageRoots([("some/image", root)])
        let script = "cat /file; echo changed > /file; rm -r /home; touch /new; ls /usr/bin 2>/dev/null; ls /"
        let text = try fixture.output(of: script)
        #expect(text.hasPrefix("original\nbin\ndev\netc\nfile\n"))
        #expect(try fixture.output(of: script) == text)
        #expect(try fixture.read(root.appending("file")) == "original\n")
        #expect(!fixture.exists(root.appending("new")) && !fixture.exists(root.appending("dev")))
        #expect(!fixture.exists(fixture.node.container("main").root))
        #expect(try fixture.player().preflight([Fixture.pod([Fixture.shell("main", "true")])]).isEmpty)
    }

    @Test func followsLinksOfTheImageInsideTheImage() throws {
        let fixture = try Fixture()
        fixture.settings.images = ImageRoots([("some/image", try makeRoot(fixture, "image"))])
        let text = try fixture.output(
            of:
                "cat /var/run/argo/x; readlink /var/run; ls /real/run/argo; cat /etc/hosts | sort | while read -r a b; do case $b in test-pod) echo $a;; esac; done",
            ["volumeMounts": [Fixture.mount("v", "/var/run/argo")]],
            volumes: [["name": "v", "hostPath": ["path": .string(try folderWithFile(fixture).text)]]])
        #expect(text == "in the volume\n/real/run\nx\n127.0.0.1\n")
    }

    private func folderWithFile(_ fixture: SandboxFixture) throws -> BytePath {
        try fixture.write("in the volume\n", to: "host/x")
        return fixture.folder.appending("host")
    }

    @Test func matchesNamesAsEnginesDo() {
        let images = ImageRoots([("alpine", "/a"), ("alpine:3.20", "/b"), ("quay.io/x/y:1", "/c"), ("localhost:5000/z", "/d")])
        #expect(images.path(for: "alpine") == "/a")
        #expect(images.path(for: "alpine:3.19") == "/a")
        #expect(images.path(for: "docker.io/library/alpine:3.20") == "/b")
        #expect(images.path(for: "index.docker.io/library/alpine") == "/a")
        #expect(images.path(for: "alpine@sha256:0123") == "/a")
        #expect(images.path(for: "quay.io/x/y:1") == "/c")
        #expect(images.path(for: "quay.io/x/y") == nil)
        #expect(images.path(for: "x/y:1") == nil)
        #expect(images.path(for: "localhost:5000/z:7") == "/d")
        #expect(images.path(for: "library/alpine:x") == "/a")
    }

    // MARK: Image layouts

    /// Builds an image layout of layers, each a script that fills a folder, and a configuration.
    private func makeLayout(
        _ fixture: SandboxFixture, _ name: BytePath, layers: [String], config: String, compression: String = "gz",
        tag: String? = nil, wrapped: Bool = false
    ) throws -> BytePath {
        let layout = fixture.folder.appending(name)
        let build = """
            import gzip, hashlib, io, json, os, subprocess, sys, tarfile, tempfile
            layout, config, compression, tag, wrapped = sys.argv[1:6]
            blobs = layout + '/blobs/sha256'
            os.makedirs(blobs, exist_ok=True)
            def blob(data, kind, **more):
                digest = hashlib.sha256(data).hexdigest()
                with open(blobs + '/' + digest, 'wb') as f: f.write(data)
                return {'mediaType': kind, 'digest': 'sha256:' + digest, 'size': len(data), **more}
            layers = []
            for script in sys.argv[6:]:
                folder = tempfile.mkdtemp()
                os.chmod(folder, 0o755)
                subprocess.run(['/bin/sh', '-ec', script], cwd=folder, check=True)
                stream = io.BytesIO()
                with tarfile.open(fileobj=stream, mode='w', format=tarfile.PAX_FORMAT) as tar:
                    if os.path.exists(folder + '/.entries'):
                        exec(open(folder + '/.entries').read())
                        os.unlink(folder + '/.entries')
                    for entry in sorted(os.listdir(folder)): tar.add(folder + '/' + entry, entry)
                data = stream.getvalue()
                if compression == 'gz': data = gzip.compress(data)
                layers.append(blob(data, 'application/vnd.oci.image.layer.v1.tar' + ('+gzip' if compression == 'gz' else '')))
                subprocess.run(['chmod', '-R', 'u+rwx', folder]); subprocess.run(['rm', '-rf', folder])
            settings = blob(config.encode(), 'application/vnd.oci.image.config.v1+json')
            manifest = {'schemaVersion': 2, 'config': settings, 'layers': layers}
            entry = blob(json.dumps(manifest).encode(), 'application/vnd.oci.image.manifest.v1+json')
            if wrapped == 'yes':
                other = dict(entry, digest='sha256:' + '0' * 64, platform={'os': 'linux', 'architecture': 'other'})
                machine = {'x86_64': 'amd64', 'aarch64': 'arm64'}[os.uname().machine]
                inner = {'schemaVersion': 2, 'manifests': [other, dict(entry, platform={'os': 'linux', 'architecture': machine})]}
                entry = blob(json.dumps(inner).encode(), 'application/vnd.oci.image.index.v1+json')
            if tag: entry['annotations'] = {'org.opencontainers.image.ref.name': tag}
            index = layout + '/index.json'
            old = json.load(open(index))['manifests'] if os.path.exists(index) else []
            json.dump({'schemaVersion': 2, 'manifests': old + [entry]}, open(index, 'w'))
            json.dump({'imageLayoutVersion': '1.0.0'}, open(layout + '/oci-layout', 'w'))
            """
        let words: [BytePath] = ["/usr/bin/python3", "-c", BytePath(build), layout, BytePath(config), BytePath(compression)]
        let result = try run(
            words + [BytePath(tag ?? ""), wrapped ? "yes" : "no"] + layers.map { BytePath($0) })
        #expect(result.status == 0, "\(result.output)")
        return layout
    }

    private func baseLayer(_ fixture: SandboxFixture) throws -> String {
        let root = try makeRoot(fixture, "base")
        return "cp -a '\(root)'/. ."
    }

    @Test(arguments: ["gz", "none"]) func unpacksAnImageLayout(compression: String) throws {
        let fixture = try Fixture()
        let layers = [
            try baseLayer(fixture),
            """
            mkdir -p data/old/deep data/kept opt/tool; echo 1 > data/old/deep/x; echo 2 > data/kept/y; echo 3 > gone
            ln -s data/kept link; echo tool > opt/tool/file; ln opt/tool/file opt/tool/hard; chmod 750 opt/tool; chmod 4755 opt/tool/file
            """,
            // Whiteouts of a file and a folder, an opaque folder, a folder in the place of a file, a path through a link.
            """
            touch .wh.gone; mkdir -p data opt; touch data/.wh.old; mkdir opt/tool; touch opt/tool/.wh..wh..opq; echo new > opt/tool/new
            mkdir file; echo inside > file/inside
            printf 'info = tarfile.TarInfo("link/through"); info.size = 3; tar.addfile(info, io.BytesIO(b"via"))
            info = tarfile.TarInfo("hard-to-lower"); info.type = tarfile.LNKTYPE; info.linkname = "data/kept/y"; tar.addfile(info)
            ' > .entries
            """,
        ]
        let layout = try makeLayout(fixture, "layout", layers: layers, config: "{}", compression: compression)
        fixture.settings.images = ImageRoots([("some/image", layout)])
        let text = try fixture.output(
            of:
                "ls -d /gone /data/old 2>/dev/null; ls /opt/tool; cat /opt/tool/new /file/inside /data/kept/through; echo; readlink /link; stat -c %h /hard-to-lower; cat /hard-to-lower"
        )
        #expect(text == "new\nnew\ninside\nvia\ndata/kept\n2\n2\n")
        // Unpacked once, under its digest.
        let cached = try runShell("ls \"$1\"", [fixture.settings.imageCache])
        #expect(cached.hasPrefix("sha256-") && cached.split(separator: "\n").count == 1)
        _ = try fixture.output(of: "echo spoilt > /opt/tool/new")
        #expect(try fixture.output(of: "cat /opt/tool/new") == "new\n")
    }

    @Test func obeysTheImagesConfiguration() throws {
        let fixture = try Fixture()
        let config = #"""
            {"config": {"Entrypoint": ["sh", "-c", "echo \"$A,$B,$0,$HOME\"; pwd; id -u; id -g"], "Cmd": ["from cmd"],
             "Env": ["A=image", "B=image", "PATH=/bin"], "User": "worker", "WorkingDir": "/srv/app"}}
            """#
        let layout = try makeLayout(fixture, "layout", layers: [try baseLayer(fixture)], config: config)
        fixture.settings.images = ImageRoots([("some/image", layout)])
        let container: (JSONObject) -> JSONValue = { more in
            .object(JSONObject([("name", "main"), ("image", "some/image:1")] + more.members.map { ($0.name, $0.value) }))
        }
        let log = { (more: JSONObject) -> String in
            let outcome = try fixture.play(Fixture.pod([container(more)]))
            #expect(outcome.isSuccess, "\(outcome)")
            return try fixture.log("main")
        }
        #expect(
            try log(["env": [["name": "B", "value": "pod"]]]) == "image,pod,from cmd,/home/worker\n/srv/app\n4242\n4343\n")
        #expect(try log(["args": ["from args"], "workingDir": "/tmp"]).hasPrefix("image,image,from args,/home/worker\n/tmp\n"))
        #expect(try log(["command": ["id", "-u"]]) == "4242\n")
        #expect(try log(["command": ["id", "-u"], "securityContext": ["runAsUser": 0]]) == "0\n")
        #expect(try log(["command": ["sh", "-c", "touch /home/worker/x /srv/app/y && stat -c %u /home/worker/x"]]) == "4242\n")
        let command = try #require(try fixture.settings.images.command(of: "some/image:1"))
        #expect(command.entrypoint.count == 3 && command.command == ["from cmd"])
        #expect(try fixture.settings.images.command(of: "other") == nil)
    }

    @Test func choosesAmongSeveralImages() throws {
        let fixture = try Fixture()
        let base = try baseLayer(fixture)
        for tag in ["one", "two"] {
            _ = try makeLayout(
                fixture, "layout", layers: [base, "echo \(tag) > which"], config: "{}", tag: tag, wrapped: tag == "two")
        }
        let layout = fixture.folder.appending("layout")
        fixture.settings.images = ImageRoots([
            ("a", layout.suffixed(":one")), ("b", layout.suffixed(":two")), ("c", layout), ("d", layout.suffixed(":no")),
        ])
        #expect(try fixture.output(of: "cat /which", ["image": "a"]) == "one\n")
        #expect(try fixture.output(of: "cat /which", ["image": "b"]) == "two\n")
        for (image, cause) in [("c", "choose one by PATH:TAG (one, two)"), ("d", "no image with tag 'no'")] {
            let problems = try fixture.player().preflight([
                Fixture.pod([Fixture.shell("main", "true", ["image": .string(image)])])
            ])
            #expect(problems.contains { $0.severity == .error && $0.message.contains(cause) }, "\(problems.map(\.message))")
        }
    }

    @Test func refusesImagesThatAreDamagedOrLeadOut() throws {
        let fixture = try Fixture()
        let base = try baseLayer(fixture)
        let escaping = try makeLayout(
            fixture, "escaping",
            layers: [
                base,
                "printf 'info = tarfile.TarInfo(\"../../outside\"); info.size = 1; tar.addfile(info, io.BytesIO(b\"x\"))' > .entries",
            ], config: "{}")
        let whole = try makeLayout(fixture, "whole", layers: [base], config: "{}")
        try runShell(
            """
            cp -r "$1/whole" "$1/cut"; cd "$1/cut/blobs/sha256"
            big=$(ls -S | head -n 1); head -c 5000 "$big" > short; mv short "$big"
            cp -r "$1/whole" "$1/lost"; rm "$1/lost/blobs/sha256/$big"
            mkdir -p "$1/wild/blobs"
            echo '{"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}' > "$1/wild/index.json"
            echo '{"manifests": [' > "$1/broken.json"; mkdir -p "$1/broken/blobs"; mv "$1/broken.json" "$1/broken/index.json"
            """, [fixture.folder])
        _ = whole
        for (path, cause) in [
            (escaping, "leads out of the root"), (fixture.folder.appending("cut"), "unpack the image's layer sha256-"),
            (fixture.folder.appending("lost"), "no such file"), (fixture.folder.appending("wild"), "is not a digest"),
            (fixture.folder.appending("broken"), "read the image"), (fixture.folder.appending("absent"), "does not exist"),
            (fixture.folder.appending("argoexec"), "it is not a folder"),
        ] {
            fixture.settings.images = ImageRoots([("some/image", path)])
            let outcome = try fixture.play(Fixture.pod([Fixture.shell("main", "true")]))
            #expect(outcome["main"]?.reason == "StartError")
            #expect(outcome["main"]?.message.contains(cause) == true, "\(outcome["main"]?.message ?? "")")
        }
        // Nothing half unpacked stays, and nothing came out.
        #expect(try runShell("ls \"$1\" 2>/dev/null || true", [fixture.settings.imageCache]) == "")
        #expect(try runShell("find \"$1\" -name outside", [fixture.folder]) == "")
    }

    @Test func mountsAnImageAsAVolume() throws {
        let fixture = try Fixture()
        let root = try makeRoot(fixture, "image")
        fixture.settings.images = ImageRoots([("data:1", root)])
        let text = try fixture.output(
            of: "cat /i/file; touch /i/x 2>&1 | grep -o Read-only", ["volumeMounts": [Fixture.mount("i", "/i")]],
            volumes: [["name": "i", "image": ["reference": "data:1"]]])
        #expect(text == "original\nRead-only\n")
    }
}
