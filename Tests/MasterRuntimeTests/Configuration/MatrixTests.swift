import MasterKit
import MasterRuntime
import Testing

/// An entry that expands to several builders.
struct MatrixTests {
    private func names(_ yaml: String) async throws -> [String] {
        try await MasterBench.with(yaml) { try $0.configuration().builders.map(\.name) }
    }

    @Test func `there is a builder for each combination, in order`() async throws {
        let names = try await names(
            """
            builders:
              - name: !Interpolate "%(prop:a)s %(prop:b)s %(prop:c)s"
                matrix: {a: [1, 2], b: [x, y], c: [z, "1.10"]}
                steps: []
            """)
        #expect(
            names == [
                "1 x z", "1 x 1.10", "1 y z", "1 y 1.10", "2 x z", "2 x 1.10", "2 y z",
                "2 y 1.10",
            ])
    }

    @Test func `combinations are taken out by a part of them, and added whole`() async throws {
        let names = try await names(
            """
            builders:
              - name: !Template "{{ properties.a }}-{{ properties.b }}"
                matrix:
                  a: [1, 2, 3]
                  b: [x, y]
                  exclude: [{a: 1}, {a: 2, b: x}]
                  include: [{b: z, a: 1}]
                steps: []
            """)
        #expect(names == ["2-y", "3-x", "3-y", "1-z"])
    }

    @Test func `each builds with its values, which win over the builder's properties`()
        async throws
    {
        let yaml = """
            factories:
              f:
                parameters: {os: {default: none}, level: {default: 1}}
                steps: [steps.SetProperty: {property: seen, value: !Property os}]
            builders:
              - name: !Interpolate "on-%(prop:os)s"
                matrix: {os: [linux, mac]}
                properties: {os: overridden, other: 1}
                factory: f
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.build(slots: 1)
            #expect(builds.map(\.builder) == ["on-linux", "on-mac"])
            #expect(builds.map { $0.build.properties["seen"] } == ["linux", "mac"])
            #expect(builds.map { $0.build.properties["level"] } == [1, 1])
            #expect(builds.map(\.build.number) == [1, 1])
            let one = try await bench.build(["on-mac"])
            #expect(one.map(\.build.number) == [2])
        }
    }

    @Test func `what an included combination has beside the axes is its property`() async throws {
        let yaml = """
            builders:
              - name: !Interpolate "on-%(prop:os)s%(prop:suffix:-)s"
                matrix:
                  os: [linux]
                  include: [{os: mac, suffix: -beta, flags: [a, {b: 1}]}]
                steps: [steps.SetProperty: {property: seen, value: !Property flags}]
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.build(slots: 1)
            #expect(builds.map(\.builder) == ["on-linux", "on-mac-beta"])
            #expect(builds.map { $0.build.properties["seen"] } == [.null, ["a", ["b": 1]]])
            let builders = try bench.configuration().builders
            #expect(builders.map(\.axes) == [["os": "linux"], ["os": "mac"]])
        }
    }
}

struct BuilderOrderTests {
    private func needs(_ yaml: String) async throws -> [String: [String]] {
        try await MasterBench.with(yaml) { bench in
            let builders = try bench.configuration().builders
            return Dictionary(uniqueKeysWithValues: builders.map { ($0.name, $0.needs) })
        }
    }

    @Test func `names, patterns and computed names are resolved`() async throws {
        let needs = try await needs(
            """
            builders:
              - name: !Interpolate "test-%(prop:os)s"
                matrix: {os: [a, b]}
                steps: []
              - name: !Interpolate "pack-%(prop:os)s"
                matrix: {os: [a, b]}
                needs: !Interpolate "test-%(prop:os)s"
                steps: []
              - {name: release, needs: [test-*, pack-*, test-a], steps: []}
              - {name: "x*", steps: []}
              - {name: all, needs: ["*"], steps: []}
              - {name: exact, needs: "x*", steps: []}
            """.replacing("needs: [\"*\"]", with: "needs: [\"[!e]*\"]"))
        #expect(needs["test-a"] == [])
        #expect(needs["pack-b"] == ["test-b"])
        #expect(needs["release"] == ["test-a", "test-b", "pack-a", "pack-b"])
        #expect(needs["exact"] == ["x*"])
        #expect(needs["all"] == ["test-a", "test-b", "pack-a", "pack-b", "release", "x*"])
    }

    @Test(arguments: [
        ("linux", "linux", true), ("linux", "linux2", false), ("*", "", true), ("*", "a", true),
        ("a*b*c", "aXbYc", true), ("a*b*c", "abbbcbc", true), ("a*b*c", "acb", false),
        ("?", "é", true), ("??", "a", false), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false),
        ("[]]", "]", true), ("[a", "[a", true), ("[a", "a", false), ("a**", "a", true),
        ("[", "[", true), ("[a-]", "-", true),
    ])
    func `a pattern fits names as in a shell`(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test func `a pattern with many stars is matched without trying all ways`() {
        let pattern = NamePattern(String(repeating: "*a", count: 40) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }
}
