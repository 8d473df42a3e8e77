import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

@Suite struct SignalTests {
    /// What the emissary is to pass on: every signal that can be caught but SIGCHLD, SIGURG, and the C library's own two.
    private static let forwarded = (Int32(1)...64).filter { ![9, 17, 19, 23, 32, 33].contains($0) }

    @Test func forwardsEverySignalToTheWholeGroup() throws {
        let emissary = try EmissaryUnderTest()
        // A member of the group and its leader both tell what they get; a signal wakes the leader's wait as well.
        let program = """
            use Config; $| = 1;
            my @names = split(' ', $Config{sig_name}); my @numbers = split(' ', $Config{sig_num}); my %number;
            @number{@names} = @numbers;
            my $who = fork() ? 'leader' : 'member';
            for my $name (@names) {
                next if $name =~ /^(ZERO|KILL|STOP|CHLD|CLD|URG|NUM32|NUM33)$/;
                $SIG{$name} = sub { syswrite STDOUT, "$who $number{$name}.\\n" };
            }
            syswrite STDOUT, "$who ready\\n";
            my $end = time + 60;
            select(undef, undef, undef, 0.2) while time < $end;
            """
        let running = try RunningEmissary(
            emissary.spawner(["perl", "-e", BytePath(program)]), output: emissary.path("output"), error: emissary.path("error"))
        try running.waitForOutput("leader ready")
        try running.waitForOutput("member ready")
        for number in Self.forwarded {
            running.signal(number)
            try running.waitForOutput("leader \(number).")
            try running.waitForOutput("member \(number).")
        }
        try emissary.container.writeSignal(SIGKILL)
        #expect(try running.exitStatus() == .exited(137))
    }

    @Test func keepsTheCommandsMaskAndIgnoredSignals() throws {
        let emissary = try EmissaryUnderTest()
        // Started with SIGHUP and SIGPIPE ignored and SIGUSR2 and SIGTERM blocked; what the child then has is what exec gives.
        let prepare = """
            use POSIX; $SIG{HUP} = 'IGNORE'; $SIG{PIPE} = 'IGNORE'; $SIG{CHLD} = 'IGNORE';
            sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR2, SIGTERM)); exec @ARGV or die;
            """
        let wrappers: [[String]] = [[], ["perl", "-e", prepare, "--"]]
        for wrapper in wrappers {
            emissary.wrapper = wrapper
            let words: [BytePath] = ["grep", "-E", "^Sig(Blk|Ign|Cgt)|^ShdPnd", "/proc/self/status"]
            let result = try emissary.run(words)
            #expect(result.status == .exited(0))
            let underEmissary = result.output
            var plain = emissary.spawner([])
            plain.arguments = wrapper.map { BytePath($0) } + words
            plain.program = BytePath("/usr/bin").appending(plain.arguments[0])
            let expected = try Subprocess(plain).run().output
            #expect(String(decoding: underEmissary, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
        }
    }

    @Test func leavesNoDescriptorOfItsOwnOpen() throws {
        for template in ["{}", #"{"archiveLocation": {"archiveLogs": true}}"#] {
            let emissary = try EmissaryUnderTest(template: template)
            // Descriptor 7 is inherited, by way of a shell, and stays.
            emissary.wrapper = ["sh", "-c", "exec \"$@\" 7</dev/null", "sh"]
            let underEmissary = try emissary.run(["ls", "/proc/self/fd"]).output
            var plain = emissary.spawner([])
            plain.arguments = emissary.wrapper.map { BytePath($0) } + ["ls", "/proc/self/fd"]
            let expected = try Subprocess(plain).run().output
            #expect(String(decoding: underEmissary, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
            #expect(String(decoding: expected, as: UTF8.self).contains("\n7\n"))
        }
    }

    @Test func leavesClosedStandardStreamsClosed() throws {
        let emissary = try EmissaryUnderTest()
        let list = emissary.path("list")
        emissary.wrapper = ["sh", "-c", "exec \"$@\" 0<&- 1>&- 2>&-", "sh"]
        let result = try emissary.run(["sh", "-c", BytePath("ls -l /proc/$$/fd > \(list); exit 4")])
        #expect(result.status == .exited(4))
        let seen = try emissary.text(list)
        #expect(!seen.contains("exitcode") && !seen.contains("alive"), "no file of ours has become a standard stream")
        #expect(emissary.recordedCode == "4")
    }

    @Test func obeysTheSignalFile() throws {
        let emissary = try EmissaryUnderTest()
        let running = try emissary.start(
            shell: "trap 'echo usr1' USR1; trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        try SmallFile.write(emissary.container.signal, Array("nonsense".utf8))
        try SmallFile.write(emissary.container.signal, Array("0".utf8))
        try SmallFile.write(emissary.container.signal, Array("-9".utf8))
        #expect(AtomicFile.exists(emissary.container.signal), "what is no signal is left")
        try SmallFile.write(emissary.container.signal, Array("10".utf8))
        try running.waitForOutput("usr1")
        try eventually("the file is taken") { !AtomicFile.exists(emissary.container.signal) }
        try emissary.container.writeSignal(15)
        #expect(try running.exitStatus() == .exited(9))
    }

    @Test func obeysASignalFileThatWasThereFirst() throws {
        let emissary = try EmissaryUnderTest()
        try emissary.container.writeSignal(15)
        #expect(try emissary.run(shell: "sleep 60").status == .exited(143))
        #expect(!AtomicFile.exists(emissary.container.signal))
    }

    /// The reference stops looking at the file once SIGTERM has come, so that the kill after the grace period is lost.
    @Test func obeysTheSignalFileAfterItsOwnTermination() throws {
        let emissary = try EmissaryUnderTest()
        let running = try emissary.start(shell: "trap 'echo term' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        try running.waitForOutput("term")
        try emissary.container.writeSignal(9)
        #expect(try running.exitStatus() == .exited(137))
        #expect(emissary.recordedCode == "137")
    }

    @Test func killsWhatIsDeafToTermination() throws {
        let emissary = try EmissaryUnderTest()
        emissary.variables["ARGO_TERMINATION_GRACE_PERIOD_SECONDS"] = "1"
        let running = try emissary.start(shell: "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(137))
        #expect(emissary.recordedCode == "137")
    }

    @Test func passesTerminationOnAndKeepsTheCommandsAnswer() throws {
        let emissary = try EmissaryUnderTest()
        let running = try emissary.start(shell: "trap 'echo got TERM; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(3))
        #expect(emissary.recordedCode == "3")
    }

    @Test func showsItsDeathByTheLock() throws {
        let emissary = try EmissaryUnderTest()
        #expect(emissary.container.standing() == .unknown)
        let running = try emissary.start(shell: "echo $$; echo ready; exec sleep 60")
        try running.waitForOutput("ready")
        #expect(emissary.container.standing() == .alive)
        let watcher = FileWatcher()
        watcher.watch(emissary.container.path)
        running.signal(SIGKILL)
        let end = monotonicNanoseconds() + 4_000_000_000
        while emissary.container.standing() == .alive, monotonicNanoseconds() < end { try watcher.wait(until: end) }
        #expect(emissary.container.standing() == .died)
        _ = try running.exitStatus()
        if let command = Int32(running.outputText.split(separator: "\n").first ?? "") { kill(command, SIGKILL) }
    }

    /// Between our start and the time at which signals can be served, none may end us without an exit code: they are held back before
    /// anything else is done, here before a large file of settings is read.
    @Test func holdsSignalsBackFromItsStartOn() throws {
        for (number, code) in [(SIGTERM, "64"), (SIGHUP, "7")] {
            let emissary = try EmissaryUnderTest()
            let settings = Dictionary(uniqueKeysWithValues: (0..<60_000).map { ("NAME_\($0)", "value") })
            try SettingsFile.write(settings, in: emissary.runDirectory)
            let running = try emissary.start(
                shell: "trap 'exit 7' HUP; n=0; while [ $n -lt 3000 ]; do sleep 0.02; n=$((n+1)); done")
            try eventually("the signal is blocked") { running.blocks(number) }
            #expect(!running.servesSignals, "it has only just begun")
            running.signal(number)
            let status = try running.exitStatus()
            // One that came before the command could set up its trap ends that.
            let expected = number == SIGTERM ? [code] : [code, String(128 + number)]
            #expect(expected.contains(emissary.recordedCode ?? "none"))
            #expect(status.map { String($0.code) } == emissary.recordedCode)
        }
    }

    @Test func leavesAnExitCodeHoweverEarlyASignalComes() throws {
        for round in 0..<60 {
            let emissary = try EmissaryUnderTest()
            let running = try emissary.start(shell: "exec sleep 60")
            try eventually("the signal is blocked") { running.blocks(SIGTERM) }
            sleepNanoseconds(Int64(round) * 100_000)
            running.signal(SIGTERM)
            let status = try running.exitStatus()
            #expect(["64", "143"].contains(emissary.recordedCode ?? "none"), "round \(round)")
            #expect(status.map { String($0.code) } == emissary.recordedCode)
        }
    }

    /// What is held back for us is not for the command, nor for modes that serve no signals.
    @Test func restoresTheSignalsForTheCommand() throws {
        let emissary = try EmissaryUnderTest()
        let plain = try Subprocess(
            Spawner(program: "/bin/cat", arguments: ["cat", "/proc/self/status"], environment: emissary.environment)
        ).run()
        func masks(_ text: [UInt8]) -> [Substring] {
            String(decoding: text, as: UTF8.self).split(separator: "\n").filter {
                $0.hasPrefix("SigBlk") || $0.hasPrefix("SigIgn") || $0.hasPrefix("SigPnd")
            }
        }
        #expect(try masks(emissary.run(["cat", "/proc/self/status"]).output) == masks(plain.output))
    }

    @Test func servesSignalsWhileItsOutputIsBlocked() throws {
        let emissary = try EmissaryUnderTest(template: #"{"archiveLocation": {"archiveLogs": true}}"#)
        let ready = emissary.path("ready")
        var spawner = emissary.spawner([
            "sh", "-c",
            BytePath("trap 'exit 6' TERM; yes | head -c 3000000 & echo > \(ready); wait; while :; do sleep 0.05; done"),
        ])
        // A pipe that nobody reads.
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        spawner.standardOutput = writing.raw
        let null = try Descriptor.open("/dev/null", O_RDWR)
        spawner.standardError = null.raw
        let child = try spawner.start()
        try eventually("started") { AtomicFile.exists(ready) }
        try eventually("blocked") {
            let size = try SmallFile.read(emissary.container.combined).count
            sleepNanoseconds(50_000_000)
            return try size > 0 && SmallFile.read(emissary.container.combined).count == size
        }
        kill(child.id, SIGTERM)
        try eventually("exit code") { emissary.recordedCode == "6" }
        #expect(try child.wait(until: monotonicNanoseconds() + 60_000_000_000) == .exited(6))
        _ = reading.raw
    }
}

extension RunningEmissary {
    /// Whether its main thread holds back a signal.
    func blocks(_ number: Int32) -> Bool {
        guard let text = try? SmallFile.read(BytePath("/proc/\(child.id)/status")) else { return false }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
        return line.flatMap { UInt64($0.dropFirst(8), radix: 16) }.map { $0 & 1 << UInt64(number - 1) != 0 } ?? false
    }

    /// Whether it has a descriptor for signals.
    var servesSignals: Bool {
        (0..<64).contains { number in
            var buffer = [CChar](repeating: 0, count: 64)
            let length = readlink("/proc/\(child.id)/fd/\(number)", &buffer, 63)
            return length > 0
                && String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).contains("signalfd")
        }
    }
}
