import MasterKit
import Testing

@testable import MasterRuntime

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
}
