import Foundation
import GRDB
import MasterKit

@testable import MasterRuntime

/// A store with a builder and a worker, in a new folder that is removed afterwards.
struct StoreFixture: Sendable {
    /// The fixed current time.
    static let now = Date(timeIntervalSince1970: 1_795_342_428.5)

    let store: Store
    let builder: Builder
    let workerID: Int

    var folder: String { store.folder }

    /// Runs a closure with a new store, and closes it afterwards.
    static func run(
        storing kinds: Set<EventKind> = [], _ body: (StoreFixture) async throws -> Void
    ) async throws {
        try await inFolder { folder in
            let fixture = try await open(folder)
            fixture.store.storeEvents(of: kinds)
            do {
                try await body(fixture)
            } catch {
                await fixture.store.close()
                throw error
            }
            await fixture.store.close()
        }
    }

    /// Opens the store in a folder.
    static func open(_ folder: String) async throws -> StoreFixture {
        let store = try await Store.open(
            folder: folder, identity: MasterIdentity(buildbotURL: "http://127.0.0.1:8010/"),
            clock: { now })
        let (builder, workerID) = try await store.write { transaction in
            let builder = try transaction.builder(
                named: "ok2", description: "two shell steps", tags: ["t1"])
            return (builder, try transaction.worker(named: "w0"))
        }
        return StoreFixture(store: store, builder: builder, workerID: workerID)
    }

    /// Runs a closure with the path of a new folder.
    static func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "store-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    /// Submits a buildset for the fixture's builder, or for several builders.
    func submit(_ builders: [Builder]? = nil) async throws -> Submission {
        let stamp = SourceStamp(id: 0, branch: "", revision: "", createdAt: StoreFixture.now)
        let buildset = Buildset(
            id: 0, reason: "somebody asked for it", submittedAt: StoreFixture.now,
            sourceStamps: [stamp])
        return try await store.write { [builder] transaction in
            try transaction.submit(
                buildset, builders: builders ?? [builder], properties: Properties())
        }
    }

    /// Claims a request and starts its build, with two properties.
    func start(_ request: BuildRequest) async throws -> Build {
        try await store.write { [builder, workerID] transaction in
            var build = try transaction.claim(
                request.id, builder: builder, workerID: workerID)
            build.properties.set("reason", "force build", source: "Force Build Form")
            build.properties.set("buildnumber", .int(build.number), source: "Build")
            try transaction.announce(build)
            return build
        }
    }

    /// Submits and starts a build.
    func startBuild() async throws -> Build {
        try await start(try await submit().requests[0])
    }

    /// Where the log of a step of a build is, from the base folder.
    func logPath(_ number: Int = 1, of build: Build) -> String {
        LogFile.path(
            builder: builder.name, build: build.number, step: (number, "first"), slug: "stdio")
    }

    /// Runs a step with a log in a build, without waiting.
    func runStep(
        _ number: Int = 1, of build: Build, lines: String = "oone\n", kind: LogKind = .stream
    ) async throws {
        let (step, log) = (store.makeStepID(), store.makeLogID())
        try write(lines, to: logPath(number, of: build))
        await store.post { transaction in
            try transaction.newStep(id: step, buildID: build.id, number: number, name: "first")
            try transaction.startStep(step)
            try transaction.updateStep(step, stateString: "working")
            try transaction.newLog(
                id: log, stepID: step, name: "stdio", slug: "stdio", kind: kind)
            try transaction.finishLog(log, lineCount: lines.utf8.count { $0 == 0x0A })
            try transaction.finishStep(step, results: .success, stateString: "done")
        }
    }

    /// Ends a build.
    @discardableResult
    func finish(
        _ build: Build, _ results: Results = .success, outcome: BuildOutcome = .finished
    ) async throws -> Build {
        try await store.write { transaction in
            try transaction.finishBuild(
                build.id, results: results,
                stateString: Masked(alreadyMasked: "build \(results.name)"),
                properties: build.properties, outcome: outcome)
        }
    }

    /// Writes a file below the folder.
    func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Collects all events that occur in a closure, after which the store is closed.
    func events(during body: () async throws -> Void) async throws -> [Event] {
        try await store.events.withSubscription(
            to: Set(EventKind.allCases), bound: 10_000
        ) { subscription in
            try await body()
            await store.close()
            var events: [Event] = []
            for await case .event(let event) in subscription { events.append(event) }
            return events
        }
    }

    /// Returns the number selected by a query.
    func count(_ sql: String) async throws -> Int {
        try await store.read { try Int.fetchOne($0, sql: sql) ?? 0 }
    }
}

/// Returns the error thrown by a closure.
func storeError(_ body: () async throws -> some Sendable) async throws -> StoreError? {
    do {
        _ = try await body()
        return nil
    } catch let error as StoreError {
        return error
    }
}
