import MasterKit
import Testing

/// Knows who is on call.
protocol Roster: Plugin where Options == NoOptions {
    func personOnCall() async throws -> String
}

extension Roster {
    static var namespace: PluginNamespace { PluginKind.rosters.namespace }
}

extension PluginKind<any Roster, NoOptions> {
    static var rosters: Self { Self("rosters") }
}

/// A roster of one person.
struct FixedRoster: Roster {
    static let summary = "Always the same person."

    @Setting("Who is on call.", .primary, .notEmpty) var person: Renderable<String>

    func personOnCall() async throws -> String { person.constant ?? "" }
}

/// Pages the person on call.
struct Pager: Reporter {
    static let summary = "Pages whoever is on call."

    @Setting("Who is paged.", plugins: .rosters) var roster: (any Roster)?

    func send(_ report: Report, in context: DeliveryContext) async throws {}
}

/// A plugin kind unknown to this package.
struct OwnKindTests {
    private func pager(_ yaml: String) throws -> (ReporterDeclaration?, [Diagnostic]) {
        let registry = try Registry(PluginBundle(Pager.self, FixedRoster.self, Sample.self))
        let decoder = SettingDecoder(registry: registry)
        let root = try #require(YAMLParser.parse(yaml, name: "test").root)
        return (decoder.plugin(.reporters, from: root), decoder.diagnostics)
    }

    @Test func `its plugins are named in settings by a namespace of their own`() async throws {
        let (declaration, diagnostics) = try pager(
            "reporters.Pager: {roster: {rosters.FixedRoster: {person: Ada}}}")
        #expect(diagnostics.isEmpty)
        let pager = try #require(declaration?.plugin as? Pager)
        #expect(try await pager.roster?.personOnCall() == "Ada")
    }

    @Test(arguments: [
        (
            "rosters.FixedRostr",
            "there is no plugin 'rosters.FixedRostr'; did you mean 'rosters.FixedRoster'?"
        ),
        ("steps.Sample", "steps.Sample is one of steps; here only rosters can stand"),
        ("rosters.FixedRoster", "rosters.FixedRoster needs 'person', a text"),
        (
            "{rosters.FixedRoster: !Property person}",
            "'person' of rosters.FixedRoster belongs to a service, which has no build; "
                + "!Property has no value there, use !Secret or !Env"
        ),
    ])
    func `a mistake in one is told like any other`(_ entry: String, _ message: String) throws {
        let (declaration, diagnostics) = try pager("reporters.Pager: {roster: \(entry)}")
        #expect(declaration == nil)
        #expect(diagnostics.map(\.message) == [message])
    }

    @Test func `they are listed under it`() throws {
        let registry = try Registry(PluginBundle(FixedRoster.self))
        #expect(registry.entries(in: "rosters").map(\.key.description) == ["rosters.FixedRoster"])
        #expect(registry["rosters.FixedRoster"]?.type == FixedRoster.self)
    }
}
