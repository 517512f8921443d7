import MasterKit
import StandardPlugins
import Testing

/// Real packages are built by the example `SwiftPackage`.
struct SwiftPackageTests {
    @Test(arguments: [
        ("{}", ["swift build --build-tests", "swift test"]),
        (
            """
            {configuration: !Property config, products: [app, tool], parallel: true, filter: Fast,
             scratchPath: /s, arguments: [-Xswiftc, -O]}
            """,
            [
                "swift build --product app -c release --scratch-path /s -Xswiftc -O",
                "swift build --product tool -c release --scratch-path /s -Xswiftc -O",
                "swift test --parallel --filter Fast -c release --scratch-path /s -Xswiftc -O",
            ]
        ),
        ("release", ["swift build --build-tests -c release", "swift test -c release"]),
        ("{test: false}", ["swift build"]),
    ])
    func `the commands are those that one would type`(
        _ settings: String, _ commands: [String]
    ) async throws {
        let run = try await FactoryRun.load(
            "{factories.SwiftPackage: \(settings)}", properties: "{config: release}")
        #expect(try run.commands() == commands)
    }

    @Test(arguments: [
        (
            "{configuration: fast}",
            "'configuration' of factories.SwiftPackage must be debug or release, not 'fast'"
        ),
        ("{test: false, filter: x}", "'filter' has no effect with 'test: false'; remove it"),
    ])
    func `mistakes are found at the factory`(_ settings: String, _ message: String) async throws {
        #expect(try await FactoryRun.mistakes("{factories.SwiftPackage: \(settings)}") == [message])
    }
}
