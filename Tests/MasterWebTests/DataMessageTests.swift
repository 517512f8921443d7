import FoundationEssentials
import MasterKit
import MasterRuntime
import Testing

@testable import MasterWeb

struct DataMessageTests {
    private static let file = """
        builders:
          - name: one
            steps:
              - steps.ShellCommand: {name: say, command: 'echo 1; echo 2'}
              - steps.SetProperty: {property: made, value: x}
        """

    @Test func `events are announced at the captured paths with the captured fields`() async throws
    {
        try await withMaster(Self.file) { master, api in
            var messages: [DataMessage] = []
            try await master.events.withSubscription(to: DataAPI.messageKinds, bound: 10_000) {
                events in
                _ = try await master.submit(BuildsetRequest(reason: "test"))
                for await case .event(let event) in events {
                    messages += DataAPI.messages(for: event)
                    if event.kind == .buildsetFinished { break }
                }
            }
            let known = CapturedAnswers.all.messages
            for message in messages {
                let pattern = Self.pattern(message.path)
                guard let keys = known[pattern] else {
                    Issue.record("\(pattern) is not a path of Buildbot")
                    continue
                }
                // Buildbot names the scheduler of a new buildset, but not its parent.
                guard pattern != "buildsets/N/new", keys != [] else { continue }
                let found = message.body.objectValue?.keys.map { JSONValue.string($0) }
                #expect(found.map { .array($0) } ?? .null == keys, "\(pattern)")
            }
            let paths = Set(messages.map { $0.path.joined(separator: "/") })
            #expect(
                paths.isSuperset(of: [
                    "buildsets/1/new", "buildsets/1/complete", "buildrequests/1/new",
                    "buildrequests/1/claimed", "buildrequests/1/complete",
                    "builders/1/buildrequests/1/new", "builds/1/new", "builds/1/finished",
                    "builders/1/builds/1/finished", "workers/1/builds/1/new", "steps/1/started",
                    "builds/1/steps/1/finished", "builds/1/properties/update", "logs/1/new",
                    "logs/1/append", "logs/1/finished", "steps/1/logs/stdio/append",
                ]))
            // Whoever reads as many lines as a message promises finds them.
            let grown = messages.filter { $0.path == ["logs", "1", "append"] }
                .compactMap { $0.body["num_lines"]?.intValue }
            let last = messages.last { $0.path == ["logs", "1", "finished"] }
            #expect(grown.last == last?.body["num_lines"]?.intValue)
            #expect(grown == grown.sorted())
        }
    }

    @Test func `a cancelled request is announced without a body`() {
        let event = Event(
            at: .now, kind: .buildrequestCancelled, lane: 5, record: ["buildrequestid": 5])
        #expect(
            DataAPI.messages(for: event) == [
                DataMessage("buildrequests", "5", "cancel", body: .null)
            ])
    }

    /// The path with `N` for each number and `SLUG` for the name of a log.
    private static func pattern(_ path: [String]) -> String {
        var parts = path.map { Int($0) == nil ? $0 : "N" }
        if let logs = parts.firstIndex(of: "logs"), logs == 2 { parts[3] = "SLUG" }
        return parts.joined(separator: "/")
    }
}
