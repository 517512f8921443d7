import Foundation
import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

/// The store after a process ended without warning.
///
/// Such a process leaves the files of an open store, so the tests open a copy of them.
struct StoreCrashTests {
    @Test func `all that was committed is found, and nothing of what was under way`() async throws {
        try await crash { fixture in
            let finished = try await fixture.startBuild()
            try await fixture.finish(finished)
            _ = try await fixture.startBuild()
        } under: { transaction in
            for number in 1...5000 { _ = try transaction.worker(named: "worker \(number)") }
        } then: { fixture in
            #expect(fixture.store.endedUncleanly)
            let builds = try await fixture.store.read { try Build.unfinished(in: $0) }
            #expect(builds.map(\.number) == [2])
            #expect(try await fixture.count("SELECT count(*) FROM build") == 2)
            #expect(try await fixture.count("SELECT count(*) FROM event") == 3)
            #expect(try await fixture.count("SELECT count(*) FROM worker") == 1)
            let check = try await fixture.store.read {
                try String.fetchOne($0, sql: "PRAGMA integrity_check")
            }
            #expect(check == "ok")
            #expect(try await fixture.startBuild().number == 3)
        }
    }

    @Test func `what was left unfinished ends as exception, from the inside out`() async throws {
        try await crash { fixture in
            try await fixture.leaveStepUnfinished(of: try await fixture.startBuild())
        } then: { fixture in
            let events = try await fixture.events {
                let ended = try await fixture.store.endUnfinished(
                    as: .exception, reason: "master stopped")
                #expect(ended.map(\.id) == [1])
                let left = try await fixture.store.read { try Build.unfinished(in: $0) }
                #expect(left.isEmpty)
            }
            #expect(
                events.map(\.kind) == [
                    .logFinished, .stepFinished, .buildFinished, .buildrequestFinished,
                    .buildsetFinished,
                ])
            // The unfinished line is kept, and another one says that the log was cut off.
            #expect(events[0].record["num_lines"] == 5)
            #expect(events[0].record["complete"] == true)
            #expect(events[1].record["state_string"] == "exception: master stopped")
            #expect(events[1].record["results"] == 4)
            #expect(events[2].record["state_string"] == "exception (master stopped)")
            #expect(
                events[2].record["properties"]?["reason"] == ["force build", "Force Build Form"])
            #expect(events[4].results == .exception)
        }
    }

    @Test func `properties that were set before the crash are kept`() async throws {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            let build = try await fixture.startBuild()
            var changed = Properties()
            changed.set("got_revision", "abc", source: "Git")
            changed.set("reason", "other", source: "Play")
            try await fixture.store.write { [changed] transaction in
                try transaction.updateBuild(build.id, changed: changed)
            }
            await fixture.store.close()
            let again = try await StoreFixture.open(folder)
            _ = try await again.store.endUnfinished(as: .exception, reason: "master stopped")
            let ended = try await again.store.read { try Build.find(build.id, in: $0) }
            #expect(
                ended?.properties.json == [
                    "reason": ["other", "Play"], "buildnumber": [1, "Build"],
                    "got_revision": ["abc", "Git"],
                ])
            await again.store.close()
        }
    }

    @Test func `what was left unfinished can be made pending again`() async throws {
        try await crash { fixture in
            _ = try await fixture.startBuild()
        } then: { fixture in
            let ended = try await fixture.store.endUnfinished(as: .retry, reason: "master stopped")
            #expect(ended.map(\.stateString) == ["retry (master stopped)"])
            let pending = try await fixture.store.read { try BuildRequest.pending(in: $0) }
            #expect(pending.map(\.id) == [1])
            let request = try await fixture.store.write { try $0.request(1) }
            #expect(try await fixture.start(request).number == 2)
        }
    }

    @Test func `requests that nobody took can be cancelled`() async throws {
        try await crash { fixture in
            _ = try await fixture.submit([fixture.builder, fixture.builder])
        } then: { fixture in
            let events = try await fixture.events {
                let cancelled = try await fixture.store.write { try $0.cancelRequestsOfRuns() }
                #expect(cancelled == 2)
            }
            #expect(events.last?.kind == .buildsetFinished)
            #expect(events.last?.results == .cancelled)
        }
    }

    @Test func `the name and the events of the store go on`() async throws {
        var identifier: String?
        try await crash { fixture in
            identifier = fixture.store.identifier
            try await fixture.finish(try await fixture.startBuild())
        } then: { fixture in
            #expect(fixture.store.identifier == identifier)
            let newest = try await fixture.store.read { try Event.newestSequence(in: $0) }
            #expect(newest == 2)
            fixture.store.storeEvents(of: [.buildNew])
            let events = try await fixture.events { _ = try await fixture.startBuild() }
            #expect(events.last?.sequence == 3)
        }
    }

    @Test func `a store that was closed after a crash is clean again`() async throws {
        try await crash { _ in
        } then: { fixture in
            await fixture.store.close()
            let again = try await StoreFixture.open(fixture.folder)
            #expect(!again.store.endedUncleanly)
            await again.store.close()
        }
    }

    /// Copies the files of an open store in the middle of a transition and opens the copy.
    private func crash(
        during body: (StoreFixture) async throws -> Void,
        under transition: @escaping @Sendable (StoreTransaction) throws -> Void = { _ in },
        then check: (StoreFixture) async throws -> Void
    ) async throws {
        try await StoreFixture.inFolder { copy in
            try await StoreFixture.run(storing: [.buildNew, .buildFinished]) { fixture in
                try await body(fixture)
                let folder = fixture.folder
                try await fixture.store.write { transaction in
                    try transition(transaction)
                    for file in ["buildmaster.sqlite", "buildmaster.sqlite-wal", "lock", "logs"]
                    where FileManager.default.fileExists(atPath: folder + "/" + file) {
                        try FileManager.default.copyItem(
                            atPath: folder + "/" + file, toPath: copy + "/" + file)
                    }
                }
            }
            let fixture = try await StoreFixture.open(copy)
            try await check(fixture)
            await fixture.store.close()
        }
    }
}

extension StoreFixture {
    /// Starts a step that writes a log, and leaves both unfinished.
    fileprivate func leaveStepUnfinished(of build: Build) async throws {
        try write(
            "hsh -c true\noone\notwo\nounfinished", to: logPath(of: build))
        try await store.write { transaction in
            let step = try transaction.newStep(buildID: build.id, number: 1, name: "first")
            try transaction.startStep(step.id)
            try transaction.newLog(stepID: step.id, name: "stdio", slug: "stdio", kind: .stream)
        }
    }
}
