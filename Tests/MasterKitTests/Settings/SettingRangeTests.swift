import MasterKit
import Testing

/// Ranges, and mappings with settings of their own.
struct SettingRangeTests {
    private struct Room: Settings, SettingValue {
        @Setting("The name.", .primary, .notEmpty) var name: String
        @Setting("How many may be in it.", .within(1...64)) var seats = 8

        func check(_ settings: SettingsCheck) {
            if name == "cellar", seats > 4 {
                settings.error("the cellar has 4 seats", at: "seats")
            }
        }
    }

    private struct House: Settings {
        @Setting("Rooms.") var rooms: [Room] = []
        @Setting("Rooms by floor.") var floors: [String: Room] = [:]
        @Setting("Seats.", .within(1...)) var counts: [Int] = []
        @Setting("How warm.", .within(0.5...30)) var warmth: Renderable<Double?>
        @Setting("How long.", .within(.seconds(1)...(.seconds(90)))) var stay: Duration?
    }

    @Test(arguments: ["counts: [1, 70]", "warmth: 0.5", "warmth: 30", "stay: 1m30s", "stay: 1"])
    func `the ends of a range are in it`(yaml: String) {
        #expect(Filling<House>(yaml).isValid)
    }

    @Test(arguments: [
        ("counts: [0, 2]", "'counts' of it must be a whole number of at least 1, not the number 0"),
        ("counts: [x]", "'counts' of it must be a whole number of at least 1, not 'x'"),
        ("warmth: 31", "'warmth' of it must be a number from 0.5 to 30, not the number 31"),
        (
            "stay: 2m",
            "'stay' of it must be a duration such as 30, 30s, 5m or 1h30m from 1 second to 90 "
                + "seconds, not '2m'"
        ),
    ])
    func `what is outside is an error that names the range`(yaml: String, message: String) {
        #expect(Filling<House>(yaml).messages == [message])
    }

    @Test func `a value computed in a build is checked, too`() throws {
        let house = Filling<House>("warmth: !Property warmth").settings
        func warmth(_ value: JSONValue) throws -> Double? {
            try house.warmth.render(
                in: RenderContext(properties: Properties(["warmth": value], source: "test")))
        }
        #expect(try warmth(20) == 20)
        let error = #expect(throws: RenderError.self) { try warmth(40) }
        #expect(
            error?.message == "'warmth' of it must be a number from 0.5 to 30, not the number 40")
    }

    @Test func `a mapping with settings is read, checked, and its range is its own`() {
        let house = Filling<House>(
            "{rooms: [hall, {name: attic, seats: 64}], floors: {top: {name: loft}}}")
        #expect(house.messages.isEmpty)
        #expect(house.settings.rooms.map(\.name) == ["hall", "attic"])
        #expect(house.settings.rooms.map(\.seats) == [8, 64])
        #expect(house.settings.floors["top"]?.name == "loft")
    }

    @Test(arguments: [
        (
            "rooms: [{name: a, seat: 3}]",
            "'rooms' of it has no setting 'seat'; did you mean 'seats'?"
        ),
        ("rooms: [{seats: 3}]", "'rooms' of it needs 'name', a text"),
        (
            "floors: {top: {name: a, seats: 65}}",
            "'seats' of 'floors' of it must be a whole number from 1 to 64, not the number 65"
        ),
        ("rooms: [{name: cellar}]", "the cellar has 4 seats"),
    ])
    func `mistakes in it are found in one go`(yaml: String, message: String) {
        #expect(Filling<House>(yaml).messages == [message])
    }
}
