import Testing

@testable import MasterRuntime

struct EventCursorTests {
    private static func cursor(begun sequences: Int...) -> EventCursor {
        var cursor = EventCursor(at: 10)
        for sequence in sequences { cursor.begin(sequence) }
        return cursor
    }

    @Test func `it moves when the first open event ends`() {
        var cursor = Self.cursor(begun: 11, 13, 14)
        cursor.finish(11)
        #expect(cursor.value == 11)
        cursor.finish(13)
        #expect(cursor.value == 13)
    }

    @Test func `it waits for an event that is open`() {
        var cursor = Self.cursor(begun: 11, 12, 13)
        cursor.finish(12)
        cursor.finish(13)
        #expect(cursor.value == 10)
        cursor.finish(11)
        #expect(cursor.value == 13)
    }

    @Test func `it says where it will stand before it moves`() {
        var cursor = Self.cursor(begun: 11, 12, 13)
        cursor.finish(12)
        #expect(cursor.value(finishing: 11) == 12)
        #expect(cursor.value(finishing: 13) == 10)
        #expect(cursor.value == 10)
    }

    @Test func `it passes over events that nobody wants`() {
        var cursor = Self.cursor(begun: 11)
        cursor.pass(20)
        #expect(cursor.value == 10)
        cursor.finish(11)
        #expect(cursor.value == 20)
        cursor.pass(30)
        #expect(cursor.value == 30)
    }

    @Test func `an event that ends twice changes nothing`() {
        var cursor = Self.cursor(begun: 11, 12)
        cursor.finish(11)
        cursor.finish(11)
        #expect(cursor.value == 11)
        cursor.finish(12)
        #expect(cursor.value == 12)
    }
}
