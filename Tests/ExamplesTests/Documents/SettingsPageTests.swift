import Foundation
import Testing

/// The page with all settings is what the program prints from their declarations.
@Suite(.timeLimit(.minutes(1)))
struct SettingsPageTests {
    private static let page = "Sources/MasterKit/MasterKit.docc/AllSettings.md"
    private static let renewal = "RENEW_SETTINGS=1 swift test --filter SettingsPageTests"

    @Test func `the page with all settings is up to date`() async throws {
        let ended = try await BuiltProgram.buildmaster.run(["schema", "--markdown"], in: "/")
        try #require(ended.status == 0, "\(ended.error)")
        let place = "\(Checkout.folder)/\(Self.page)"
        if ProcessInfo.processInfo.environment["RENEW_SETTINGS"] != nil {
            try ended.output.write(toFile: place, atomically: true, encoding: .utf8)
        }
        let change = ended.output.split(separator: "\n").difference(
            from: try Checkout.lines(of: Self.page).filter { !$0.isEmpty })
        let words = change.map { step in
            switch step {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
        #expect(words == [], "renew the page with: \(Self.renewal)")
    }
}
