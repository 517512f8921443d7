import MasterKit
import MasterRuntime
import Testing

/// Following the logs of builds.
@Suite(.timeLimit(.minutes(1)))
struct LogBroadcasterTests {
    /// Collects the lines received by a follower, with their numbers.
    private func lines(_ pieces: LogLineSequence?) async throws -> [String] {
        var lines: [String] = []
        for try await piece in try #require(pieces) {
            let texts = String(decoding: piece.bytes, as: UTF8.self).split(separator: "\n")
            lines += texts.enumerated().map { "\(piece.firstLine + $0.offset) \($0.element)" }
        }
        return lines
    }

    @Test func `the end of a log includes the line that has not ended`() async throws {
        let (written, more) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "write": { context in
                let log = try await context.openLog("notes")
                try await log.write(Array("one\n10 %\r20 %".utf8)[...], to: .stdout)
                written.add(())
                await more.wait(for: 1)
                try await log.write(Array("\r30 %\ntwo".utf8)[...], to: .stdout)
                written.add(())
                await more.wait(for: 2)
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $write]", scripts: scripts) { bench in
            try await bench.run { master in
                async let builds = master.build()
                func wait(for wanted: String) async throws {
                    while try await master.tail(ofLog: 1, byteCount: 99) != Array(wanted.utf8) {
                        await Task.yield()
                    }
                }
                await written.wait(for: 1)
                try await wait(for: "oone\no10 %\r20 %\n")
                let end = try await master.tail(ofLog: 1, byteCount: 5)
                #expect(end == Array("oone\no\r20 %\n".utf8))
                more.add(())
                await written.wait(for: 2)
                try await wait(for: "oone\no10 %\r20 %\r30 %\notwo\n")
                more.add(())
                _ = try await builds
            }
        }
    }

    @Test func `followers get every line of a log, whenever they join and wherever they begin`()
        async throws
    {
        let (written, more) = (Journal<StepContext>(), Journal<String>())
        try await MasterBench.with(
            "steps: [steps.Play: $write]",
            scripts: [
                "write": { context in
                    let log = try await context.openLog("notes")
                    try await log.line("one")
                    try await log.line("two")
                    written.add(context)
                    await more.wait(for: 1)
                    try await log.line("three")
                    return .success
                }
            ]
        ) { bench in
            try await bench.run { master in
                async let builds = master.build()
                await written.wait(for: 1)
                async let early = lines(master.follow(log: 1))
                async let middle = lines(master.follow(log: 1, from: 1))
                async let late = lines(master.follow(log: 1, from: 2))
                async let beyond = lines(master.follow(log: 1, from: 100))
                try await Task.sleep(for: .milliseconds(50))
                var end: [UInt8]?
                while end?.isEmpty != false { end = try await master.tail(ofLog: 1, byteCount: 4) }
                #expect(end == Array("two\n".utf8))
                more.add("go on")
                #expect(try await early == ["0 one", "1 two", "2 three"].map(marked))
                #expect(try await middle == ["1 two", "2 three"].map(marked))
                #expect(try await late == ["2 three"].map(marked))
                #expect(try await beyond.isEmpty)
                _ = try await builds
                #expect(try await master.tail(ofLog: 1, byteCount: 9) == nil)
                #expect(try await lines(master.follow(log: 1, from: 2)) == ["2 three"].map(marked))
                #expect(try await master.follow(log: 99) == nil)
            }
        }
    }

    private func marked(_ line: String) -> String {
        let parts = line.split(separator: " ")
        return "\(parts[0]) o\(parts[1])"
    }

    @Test func `a follower that is slower than the output gets all of it`() async throws {
        try await MasterBench.with("steps: [steps.ShellCommand: seq 200000]") { bench in
            try await bench.run { master in
                var (next, text) = (0, 0)
                let building = await master.events.withSubscription(
                    to: [.logNew], bound: 10
                ) { events in
                    let building = Task { try await master.build() }
                    for await _ in events { break }
                    return building
                }
                for try await piece in try #require(try await master.follow(log: 1)) {
                    #expect(piece.firstLine == next)
                    next += piece.bytes.count { $0 == 0x0A }
                    text += piece.bytes.split(separator: 0x0A).count { $0.first == 0x6F }
                    await Task.yield()
                }
                #expect(text == 200_000)
                #expect(next > 200_000)
                _ = try await building.value
            }
        }
    }

    @Test func `following ends with the task`() async throws {
        let written = Journal<String>()
        try await MasterBench.with(
            "steps: [steps.Play: $write]",
            scripts: [
                "write": { context in
                    try await context.openLog("notes").line("one")
                    written.add("one")
                    try await neverEnd()
                    return .success
                }
            ]
        ) { bench in
            try await bench.run { master in
                async let builds = master.build()
                await written.wait(for: 1)
                let following = Task { try await lines(master.follow(log: 1)) }
                try await Task.sleep(for: .milliseconds(50))
                following.cancel()
                #expect(try await following.value == ["0 oone"])
                await master.stop(reason: "enough")
                _ = try await builds
            }
        }
    }
}
