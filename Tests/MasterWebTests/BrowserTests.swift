import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

/// Both pages in a real browser, which `Fixtures/browser.py` drives.
struct BrowserTests {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static let hasBrowser = (ProcessInfo.processInfo.environment["PATH"] ?? "")
        .split(separator: ":").contains { folder in
            ["chromium", "google-chrome"].contains {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }

    /// A file of a package in `.build/python`.
    private static func file(_ path: String) throws -> String {
        let versions = package + "/.build/python/lib"
        let names = try FileManager.default.contentsOfDirectory(atPath: versions).sorted()
        let paths = names.map { "\(versions)/\($0)/site-packages/\(path)" }
        return try #require(
            paths.first { FileManager.default.fileExists(atPath: $0) },
            "this test needs \(path) in .build/python; .ci/python makes it")
    }

    /// The second builder writes 10,000 lines while it is looked at.
    private static let builders = #"""
        builders:
          - name: linux
            description: Builds the program and runs its tests.
            tags: [linux, fast]
            steps:
              - steps.ShellCommand:
                  name: compile
                  command: >-
                    echo one; echo two >&2; for i in 0 1 2 3 4 5 6 7; do
                    printf '\033[1;3%dmcolor %d \033[4%dmbehind\033[0m\n' $i $i $i; done
              - steps.ShellCommand:
                  name: test
                  command: >-
                    for i in $(seq 1 300); do echo "test $i passed in a line that is rather long
                    so that it has to be wrapped on a small screen"; done; exit 1
          - name: slow
            steps:
              - steps.ShellCommand:
                  name: talk
                  command: >-
                    head -c 400000 /dev/zero | tr '\0' '\r'; echo;
                    for i in $(seq 15); do head -c 300000 /dev/zero | tr '\0' x; echo; done;
                    for i in $(seq 0 9999); do
                    [ $((i % 50)) != 0 ] || printf '\033[31m%s\033[m%01200d\n' x $i;
                    printf '0 %%\rline %d of \033[1;3%dmthe\033[m \033[10%dmlive\033[39;49m log
                    \033[38;5;%d;7m<&>\033[\033[4:3m|\033(é\033[m\n' $i $((i % 8)) $((i % 8)) $((i % 16));
                    [ $((i % 200)) != 0 ] || sleep 0.1; done; sleep 600
          - name: a-builder-with-a-rather-long-name-that-does-not-fit
            steps: [steps.ShellCommand: {command: 'true'}]
        schedulers:
          - schedulers.ForceScheduler:
              name: force
              label: Force a build
              builderNames: [linux, slow]
              properties:
                - util.StringParameter: {name: s1, label: Text, default: d, required: true}
                - util.IntParameter: {name: count, label: Count, default: 20}
                - util.BooleanParameter: {name: b1, label: Flag, default: true}
                - util.ChoiceStringParameter: {name: ch, label: Choice, choices: [x, y], default: y}
        """#

    /// Builds once, of a change, and leaves one build running and another request waiting.
    private func fill(_ web: Web) async throws {
        let stamp = SourceStamp(
            branch: "feature/a-rather-long-name-of-a-branch", revision: "0123456789abcdef",
            repository: "https://example.org/example/repository.git")
        let change = try await web.master.addChange(
            Change(
                author: "Ann Example <ann@example.org>",
                comments: "Mend the parser\n\nIt failed for empty input.",
                files: ["src/parser.c", "src/a/rather/long/path/that/does/not/fit/on/a/screen.c"],
                sourceStamp: stamp, revlink: "https://example.org/commit/1", when: .now))
        var request = BuildsetRequest(
            builders: ["linux"], reason: "a change", sourceStamps: [stamp])
        request.changes = [change]
        _ = try await web.master.wait(for: web.master.submit(request))
        for number in 1...3 {
            // Requests that ask for the same would be built once.
            var live = BuildsetRequest(builders: ["slow"], reason: "live")
            live.properties.set("n", .int(number), source: "Force Build Form")
            _ = try await web.master.submitUnattended(live)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["stock", "dashboard"])
    func `every page works in a browser`(part: String) async throws {
        guard Self.hasBrowser else {
            // Ubuntu has no package of it.
            return print("no page is tried: neither 'chromium' nor 'google-chrome' is installed")
        }
        let yaml = """
            title: Example
            www: {port: 0, ui: \(try Self.file("buildbot_www/static"))}

            """ + Self.builders
        try await withWeb(yaml) { web in
            try await fill(web)
            let pictures = ProcessInfo.processInfo.environment["BROWSER_PICTURES"]
            try await runTool(
                [
                    "timeout", "270", "python3",
                    Self.package + "/Tests/MasterWebTests/Fixtures/browser.py", part,
                    "http://localhost:\(web.port)/",
                    try Self.file("axe_playwright_python/axe.min.js"),
                ] + (pictures.map { [$0] } ?? []))
        }
    }
}
