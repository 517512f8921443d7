import Foundation
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Which changes the janitor removes.
@Suite(.timeLimit(.minutes(1)))
struct ChangeCleaningTests {
    private static let janitor = "janitor: {keepChanges: 30d}\n"
    private static let builders = "builders: [{name: one, steps: []}]\n"

    private static func change(_ branch: String = "main", _ file: String = "a.c") -> Change {
        Change(
            author: "Ann", comments: file, files: [file],
            sourceStamp: SourceStamp(branch: branch, revision: file, repository: "r"),
            when: Date(timeIntervalSince1970: 0))
    }

    /// Makes changes older than they are.
    private func age(_ ids: [Int], _ master: Master) async throws {
        try await master.environment.store.write { transaction in
            for id in ids {
                try transaction.database.run(
                    """
                    UPDATE source_stamp SET created_at = created_at - 31 * 86400
                    WHERE id = (SELECT source_stamp_id FROM change WHERE id = ?)
                    """, [id])
            }
        }
    }

    private func sweep(_ master: Master) async throws {
        await Janitor.sweep(
            try #require(master.current.janitor), in: master.configuration, now: Date())
    }

    /// The ids of the changes that are stored, once every reference has been checked.
    private func changes(_ master: Master) async throws -> [Int] {
        try await master.environment.store.read { database in
            #expect(try database.numbers("SELECT rowid FROM pragma_foreign_key_check", []) == [])
            let orphans = """
                SELECT id FROM source_stamp WHERE buildset_id IS NULL
                    AND id NOT IN (SELECT source_stamp_id FROM change)
                """
            #expect(try database.numbers(orphans, []) == [])
            return try database.numbers("SELECT id FROM change ORDER BY id", [])
        }
    }

    private func submit(
        _ change: Change, _ master: Master, isAwaited: Bool = true
    ) async throws -> Submission {
        var request = BuildsetRequest(reason: "test", sourceStamps: [change.sourceStamp])
        request.changes = [change]
        return try await isAwaited
            ? master.submit(request) : master.submitUnattended(request)
    }

    @Test func `what a build, a pending request or a timer needs stays, the rest goes`()
        async throws
    {
        let schedulers = """
            schedulers:
              - schedulers.SingleBranchScheduler:
                  {name: quiet, branch: quiet, treeStableTimer: 1h, builderNames: [one]}

            """
        try await MasterBench.with(Self.janitor + schedulers + Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "quiet", master)
                let built = try await master.addChange(Self.change("built"))
                _ = try await master.wait(for: submit(built, master))
                master.submissions.distributor.hold()
                let collapsed = try await master.addChange(Self.change("pending", "b.c"))
                _ = try await submit(collapsed, master, isAwaited: false)
                let pending = try await master.addChange(Self.change("pending", "c.c"))
                _ = try await submit(pending, master, isAwaited: false)
                let cancelled = try await master.addChange(Self.change("cancelled"))
                let request = try await submit(cancelled, master).requestIDs[0]
                let isCancelled = try await master.environment.store.write {
                    try $0.cancelRequest(request)
                }
                #expect(isCancelled)
                let collected = try await master.addChange(Self.change("quiet"))
                let unused = try await master.addChange(Self.change("main"))
                let young = try await master.addChange(Self.change("main", "d.c"))
                try await ChangeSchedulerTests.wait(for: young.id, by: "quiet", master)
                try await age(Array(1..<young.id), master)
                try await sweep(master)
                let left = try await changes(master)
                #expect(
                    left == [built.id, collapsed.id, pending.id, collected.id, young.id])
                #expect(![cancelled.id, unused.id].contains { left.contains($0) })
                #expect(bench.messages.texts.contains("the janitor removed 2 changes"))
                let ofBuildsets = try await master.environment.store.read { database in
                    try [1, 3].map { try Change.all(ofBuildset: $0, in: database).map(\.id) }
                }
                #expect(ofBuildsets == [[built.id], [collapsed.id, pending.id]])
            }
        }
    }

    @Test func `changes of builds that are removed go with them`() async throws {
        let janitor = "janitor: {keepBuilds: 1, keepChanges: 30d}\n"
        try await MasterBench.with(janitor + Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                for file in ["a.c", "b.c", "c.c"] {
                    let change = try await master.addChange(Self.change("main", file))
                    _ = try await master.wait(for: submit(change, master))
                }
                try await age([1, 2, 3], master)
                try await sweep(master)
                #expect(try await changes(master) == [3])
                #expect(bench.messages.texts.contains("the janitor removed 2 builds, 2 changes"))
            }
        }
    }

    @Test func `what a scheduler has yet to look at stays`() async throws {
        let schedulers = """
            schedulers:
              - schedulers.Nightly:
                  name: yearly
                  month: 1
                  dayOfMonth: 1
                  onlyIfChanged: true
                  builderNames: [one]

            """
        try await MasterBench.with(Self.janitor + schedulers + Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "yearly", master)
                for _ in 1...2 { try await master.addChange(Self.change()) }
                try await age([1, 2], master)
                try await sweep(master)
                #expect(try await changes(master) == [1, 2])
                try await bench.reconfigure(master, Self.janitor + Self.builders)
                try await sweep(master)
                #expect(try await changes(master) == [])
                // Ids are not used again, and a change without its parent has none.
                let next = try await master.addChange(Self.change())
                #expect(next.id == 3)
                #expect(next.parentIDs == [])
            }
        }
    }

    @Test func `a hook's request that comes again is known, also without its changes`()
        async throws
    {
        try await MasterBench.with(Self.janitor + Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                let first = try await master.addChanges([Self.change()], ofHookRequest: "digest")
                #expect(first == .added([1]))
                try await age([1], master)
                try await sweep(master)
                #expect(try await changes(master) == [])
                let again = try await master.addChanges([Self.change()], ofHookRequest: "digest")
                #expect(again == .known([1]))
                #expect(try await changes(master) == [])
            }
        }
    }

    @Test func `a hook's request is known for a week`() async throws {
        try await MasterBench.with(Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                func send() async throws -> HookChanges {
                    try await master.addChanges([Self.change()], ofHookRequest: "digest")
                }
                func age(by days: Double) async throws {
                    try await master.environment.store.write { transaction in
                        try transaction.database.run(
                            "UPDATE hook_request SET received_at = received_at - ?",
                            [days * 86_400])
                    }
                }
                var answers = [try await send()]
                for days in [6.9, 0.2] {
                    try await age(by: days)
                    answers.append(try await send())
                }
                #expect(answers == [.added([1]), .known([1]), .added([2])])
            }
        }
    }

    @Test func `a build can be asked for of changes that are gone`() async throws {
        try await MasterBench.with(Self.janitor + Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                let change = try await master.addChange(Self.change())
                try await age([1], master)
                try await sweep(master)
                let builds = try await master.wait(for: submit(change, master))
                #expect(builds.map(\.build.results) == [.success])
            }
        }
    }

    @Test func `many go in small transactions, while builds run`() async throws {
        try await MasterBench.with(Self.builders) { bench in
            try await bench.run(resumes: true) { master in
                let count = 10_000
                let store = master.environment.store
                try await store.write { transaction in
                    for number in 1...count {
                        _ = try transaction.add(
                            Masked(alreadyMasked: Self.change("main", "\(number).c")))
                    }
                }
                async let builds = (1...20).asyncCount { _ in
                    try await master.build(["one"]).first?.build.results == .success
                }
                var batches: [Int] = []
                try await Janitor.removeChanges(
                    before: Date.distantFuture.timeIntervalSince1970, in: store
                ) { batches.append($0) }
                #expect(batches == Array(repeating: 250, count: count / 250))
                #expect(try await builds == 20)
                #expect(try await changes(master) == [])
            }
        }
    }
}

extension Sequence {
    fileprivate func asyncCount(where isMet: (Element) async throws -> Bool) async throws -> Int {
        var count = 0
        for element in self where try await isMet(element) { count += 1 }
        return count
    }
}
