import MasterKit
import Testing

@testable import MasterRuntime

/// How much of a reporter's reports is in memory at a time.
@Suite(.timeLimit(.minutes(1)))
struct ReportMemoryTests {
    private static let most = ReportMemory.byteLimit

    @Test func `what is too much waits its turn, and one that is larger than all has it alone`()
        async throws
    {
        let memory = ReportMemory()
        let (begun, end) = (Journal<String>(), Journal<Void>())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (name, byteCount) in [("huge", Self.most * 3), ("small", 1), ("half", Self.most)] {
                group.addTask {
                    try await memory.withRoom(for: byteCount) {
                        begun.add(name)
                        await end.wait(for: begun.entries.count)
                    }
                }
                if name == "huge" { await begun.wait(for: 1) }
            }
            #expect(memory.used == Self.most * 3)
            for count in 2...3 {
                end.add(())
                await begun.wait(for: count)
            }
            end.add(())
            try await group.waitForAll()
        }
        #expect(begun.entries.first == "huge")
        #expect(memory.used == 0)
    }

    @Test func `a report that grows while it is made does not wait for itself`() async throws {
        let memory = ReportMemory()
        let (one, two) = (ReportRoom(in: memory), ReportRoom(in: memory))
        try await one.take(Self.most / 2)
        try await two.take(Self.most / 2)
        try await one.take(Self.most)
        try await two.take(Self.most)
        #expect(memory.used == Self.most * 3)
        one.giveBack()
        two.giveBack()
        #expect(memory.used == 0)
    }

    @Test func `a task that ends stops waiting and holds nobody up`() async throws {
        let memory = ReportMemory()
        try await memory.withRoom(for: Self.most) {
            let waiting = Task { try await memory.withRoom(for: Self.most) {} }
            let next = Task { try await memory.withRoom(for: 1) {} }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(memory.used == Self.most)
            next.cancel()
            await #expect(throws: CancellationError.self) { try await next.value }
        }
        #expect(memory.used == 0)
    }
}
