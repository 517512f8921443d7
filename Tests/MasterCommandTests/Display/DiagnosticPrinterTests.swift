import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand

struct DiagnosticPrinterTests {
    private let file = SourceFile(name: "a,b.yaml", text: "one: 1\ntwo: 2\n")

    private var diagnostics: [Diagnostic] {
        let range = file.range(ofUTF8: 7..<10)
        return [
            Diagnostic(.error, "100% wrong", file: file, range: range),
            Diagnostic(.error, "wrong", file: file),
            Diagnostic(
                .warning, "odd", file: file, range: range,
                notes: [.init("see here", range: file.range(ofUTF8: 0..<3))],
                fix: .init(replacement: "three", range: range)),
        ]
    }

    private func lines(_ environment: [String: String]) -> [String] {
        DiagnosticPrinter(TerminalTraits(isTerminal: false, environment: environment))
            .lines(diagnostics, of: "a,b.yaml")
    }

    @Test func `places are shown, and all are counted at the end`() {
        #expect(
            lines([:]) == [
                "a,b.yaml:2:1: error: 100% wrong", "  2 | two: 2", "    | ^~~",
                "a,b.yaml: error: wrong",
                "a,b.yaml:2:1: warning: odd", "  2 | two: 2", "    | ^~~",
                "a,b.yaml:1:1: note: see here", "  1 | one: 1", "    | ^~~",
                "2 errors, 1 warning in a,b.yaml",
            ])
    }

    @Test func `GitHub gets its own form, escaped`() {
        let traits = TerminalTraits(
            isTerminal: false, environment: ["GITHUB_ACTIONS": "true"])
        let annotations = DiagnosticPrinter(traits).annotations(diagnostics, of: "a,b.yaml")
        #expect(
            annotations == [
                "::error file=a%2Cb.yaml,line=2,col=1,endLine=2,endColumn=4::100%25 wrong",
                "::error file=a%2Cb.yaml::wrong",
                "::warning file=a%2Cb.yaml,line=2,col=1,endLine=2,endColumn=4::odd",
            ])
    }

    @Test func `a section is marked for the log viewer that there is`() {
        func lines(_ environment: [String: String]) -> [String] {
            let traits = TerminalTraits(isTerminal: false, environment: environment)
            let section = LogSection(traits, name: "builds")
            let time = Date(timeIntervalSince1970: 5)
            return section.begin(at: time) + section.end(at: time)
        }
        #expect(lines([:]) == [])
        #expect(lines(["GITHUB_ACTIONS": "true"]) == ["::group::builds", "::endgroup::"])
        #expect(
            lines(["GITLAB_CI": "true"]) == [
                "\u{1B}[0Ksection_start:5:buildmaster_builds[collapsed=true]\r\u{1B}[0Kbuilds",
                "\u{1B}[0Ksection_end:5:buildmaster_builds\r\u{1B}[0K",
            ])
    }

    @Test func `nothing is said of a file without mistakes`() {
        let printer = DiagnosticPrinter(TerminalTraits(isTerminal: false, environment: [:]))
        #expect(printer.lines([], of: "x") == [])
    }
}
