import Foundation
import MasterKit
import Testing

struct EventBusTests {
    @Test func `a reader gets the events of its kinds in order`() async {
        let bus = EventBus()
        let got = await bus.withSubscription(to: [.buildNew, .buildFinished], bound: 10) { events in
            bus.publish([event(1, .buildNew), event(2, .stepNew), event(3, .buildFinished)])
            bus.publish(event(4, .buildNew))
            bus.finish()
            return await events.reduce(into: []) { $0.append($1) }
        }
        #expect(
            got == [
                .event(event(1, .buildNew)), .event(event(3, .buildFinished)),
                .event(event(4, .buildNew)),
            ])
    }

    @Test func `what was published before a subscription is not seen`() async {
        let bus = EventBus()
        bus.publish(event(1))
        let got = await bus.withSubscription(to: [.buildNew], bound: 10) { events in
            bus.publish(event(2))
            bus.finish()
            return await events.reduce(into: []) { $0.append($1) }
        }
        #expect(got == [.event(event(2))])
    }

    @Test func `a slow reader is told how much it missed, where it is missing`() async {
        let bus = EventBus()
        await bus.withSubscription(to: [.buildNew], bound: 2) { events in
            var iterator = events.makeAsyncIterator()
            for number in 1...5 { bus.publish(event(number)) }
            #expect(await iterator.next() == .event(event(1)))
            bus.publish(event(6))
            #expect(await iterator.next() == .event(event(2)))
            #expect(await iterator.next() == .missed(3))
            #expect(await iterator.next() == .event(event(6)))
            for number in 7...9 { bus.publish(event(number)) }
            for number in 7...8 { #expect(await iterator.next() == .event(event(number))) }
            #expect(await iterator.next() == .missed(1))
            bus.finish()
            #expect(await iterator.next() == nil)
            #expect(await iterator.next() == nil)
        }
    }

    @Test func `a reader that waits gets what comes`() async {
        let bus = EventBus()
        await bus.withSubscription(to: [.buildNew], bound: 1) { events in
            async let numbers = events.reduce(into: [Int]()) { numbers, delivery in
                if case .event(let event) = delivery { numbers.append(event.lane) }
            }
            await Task.yield()
            bus.publish(event(1))
            bus.finish()
            #expect(await numbers == [1])
        }
    }

    @Test func `reading ends when the task is cancelled, also before it began`() async {
        let bus = EventBus()
        await bus.withSubscription(to: [.buildNew], bound: 1) { events in
            let waiting = Task { await events.first { _ in true } }
            await Task.yield()
            waiting.cancel()
            #expect(await waiting.value == nil)
            bus.publish(event(1))
            await withTaskGroup(of: EventSubscription.Element?.self) { group in
                group.cancelAll()
                group.addTask { await events.first { _ in true } }
                for await delivery in group { #expect(delivery == nil) }
            }
            #expect(await events.first { _ in true } == .event(event(1)))
        }
    }

    @Test func `the wanted kinds are those of the present readers`() async {
        let bus = EventBus()
        #expect(bus.wantedKinds.isEmpty)
        await bus.withSubscription(to: [.buildNew], bound: 1) { _ in
            await bus.withSubscription(to: [.buildNew, .stepNew], bound: 1) { _ in
                #expect(bus.wantedKinds == [.buildNew, .stepNew])
                #expect(bus.isWanted(.stepNew))
            }
            #expect(bus.wantedKinds == [.buildNew])
            #expect(!bus.isWanted(.stepNew))
        }
        #expect(bus.wantedKinds.isEmpty)
    }

    @Test func `a subscription to a bus that has ended ends at once`() async {
        let bus = EventBus()
        bus.finish()
        let first = await bus.withSubscription(to: [.buildNew], bound: 1) { events in
            bus.publish(event(1))
            return await events.first { _ in true }
        }
        #expect(first == nil)
    }

    @Test func `a body that throws ends its subscription`() async {
        struct Refusal: Error {}
        let bus = EventBus()
        await #expect(throws: Refusal.self) {
            try await bus.withSubscription(to: [.buildNew], bound: 1) { _ in throw Refusal() }
        }
        #expect(bus.wantedKinds.isEmpty)
    }

    @Test func `many readers beside a fast writer account for every event in order`() async {
        let bus = EventBus()
        let count = 20_000
        let others = EventKind.allCases.filter { $0 != .buildNew }
        await withTaskGroup(of: Void.self) { group in
            for reader in 0..<8 {
                group.addTask {
                    await bus.withSubscription(to: [.buildNew, others[reader]], bound: 1 << reader)
                    { events in
                        var seen = 0
                        for await delivery in events {
                            switch delivery {
                            case .event(let event):
                                seen += 1
                                #expect(event.lane == seen)
                            case .missed(let missed):
                                #expect(missed > 0)
                                seen += missed
                            }
                        }
                        #expect(seen == count)
                    }
                }
            }
            while bus.wantedKinds.count < 9 { await Task.yield() }
            group.addTask {
                for number in 1...count { bus.publish(self.event(number)) }
                bus.finish()
            }
        }
    }

    private func event(_ number: Int, _ kind: EventKind = .buildNew) -> Event {
        Event(
            at: Date(timeIntervalSince1970: 0), kind: kind, lane: number, record: JSONObject())
    }
}
