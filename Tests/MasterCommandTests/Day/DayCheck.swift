import MasterKit
import Testing

/// What must be true at the end of a day.
struct DayCheck {
    private let day: Day
    private let store: DayStore
    private let builds: [DayStore.Build]

    init(_ day: Day) throws {
        self.day = day
        store = try day.store
        builds = try store.builds()
    }

    func run() async throws {
        try checkTimes()
        try checkRequests()
        try await checkChanges()
        try checkReports()
        let refused = day.receiver.refusalCount
        print(
            "day: \(day.commits.count) commits in \(day.plan.pushes.count) pushes, "
                + "\(builds.count) builds, \(try store.requests(results: 3).count) requests "
                + "collapsed, \(day.receiver.arrivals.count) reports arrived, \(refused) of them "
                + "refused")
    }

    /// The nightly builds of each time, and no other, were submitted at that time.
    private func checkTimes() throws {
        #expect(day.nightlies.count == DayPlan.nightlies.count)
        let submitted = try store.nightlies()
        #expect(submitted == day.nightlies)
        let late = zip(submitted, DayPlan.nightlies).filter { $0 != $1 * 1000 }
        #expect(late.count == 1, "only the last one passed while no master was running")
    }

    /// Each request has one build that ended by itself, or was collapsed into one that has.
    private func checkRequests() throws {
        #expect(try store.isSettled())
        let done = builds.filter { $0.results == 0 }
        let successes = try store.requests(results: 0)
        #expect(done.map(\.request).sorted() == successes.map(\.id))
        let collapsed = try store.requests(results: 3)
        #expect(!collapsed.isEmpty)
        let known = Set(successes.map(\.id) + collapsed.map(\.id))
        #expect(collapsed.allSatisfy { $0.collapsedInto.map(known.contains) ?? false })
        // Two builds at most run when the master is killed.
        let interrupted = builds.filter { $0.results != 0 }
        #expect((1...4).contains(interrupted.count), "\(interrupted)")
    }

    /// Each commit is a change, and in the changes of one build of each builder that follows it.
    private func checkChanges() async throws {
        let commits = day.commits
        #expect(commits.count >= DayPlan.pushCount)
        #expect(try store.revisions().sorted() == commits.map(\.revision).sorted())
        var built: [String: [String]] = [:]
        for build in builds where build.results == 0 {
            built[build.builder, default: []] += try await day.revisions(ofBuild: build.id)
        }
        let main = commits.filter { $0.branch == "main" }
        let expected = [
            "one": main.filter { !$0.isPolled }, "two": commits, "three": main.filter(\.isPolled),
            "night": [],
        ]
        for (builder, commits) in expected {
            let (found, wanted) = (built[builder] ?? [], commits.map(\.revision))
            #expect(found.sorted() == wanted.sorted(), "builder \(builder)")
        }
    }

    /// The start and the end of each build were accepted, in order, each under one name; those of
    /// a build that is built again come before the others of its request.
    private func checkReports() throws {
        let arrivals = day.receiver.arrivals
        #expect(arrivals.faults(expecting: builds.map(\.name)) == [])
        #expect(day.receiver.unreadable == 0)
        #expect(try store.deadReports() == 0)
        let requests = Dictionary(uniqueKeysWithValues: builds.map { ($0.name, $0.request) })
        var order: [Int: [String]] = [:]
        var seen: Set<String> = []
        for arrival in arrivals where arrival.isTaken && seen.insert(arrival.webhookID).inserted {
            order[requests[arrival.build] ?? 0, default: []].append(
                "\(arrival.build) \(arrival.isEnd)")
        }
        let expected = Dictionary(grouping: builds, by: \.request).mapValues { builds in
            builds.flatMap { ["\($0.name) false", "\($0.name) true"] }
        }
        #expect(order == expected)
    }
}
