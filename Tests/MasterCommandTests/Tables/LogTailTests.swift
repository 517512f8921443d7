import Foundation
import MasterKit
import Testing

@testable import MasterCommand

struct LogTailTests {
    private func tail(_ text: String, isWhole: Bool = true) -> LogTail {
        LogTail(end: Array(text.utf8), isWhole: isWhole)
    }

    @Test func `marks are taken off and tell the channel`() {
        let tail = tail("oello\r\nebad\noout\n\nnot marked\nhexit code 1\n")
        #expect(tail.lines.map(\.text) == ["ello", "bad", "out", "", "not marked", "exit code 1"])
        #expect(tail.lines.map(\.channel) == [.stdout, .stderr, .stdout, nil, nil, .header])
    }

    @Test func `how a command was started is left out, unless it printed nothing`() {
        let start = "hsh -c x\nh in dir /tmp\nh argv: [\"sh\"]\n"
        let end = "hprogram finished with exit code 1\nhelapsedTime=0.01\n"
        #expect(
            tail(start + "oout\n" + end).lines.map(\.text) == [
                "out", "program finished with exit code 1",
            ])
        #expect(
            tail(start + end).lines.map(\.text) == [
                "sh -c x", "program finished with exit code 1",
            ])
    }

    @Test func `of many lines the last ones are kept`() {
        let tail = tail((1...50).map { "o\($0)\n" }.joined())
        #expect(tail.lines.map(\.text) == (31...50).map(String.init))
        #expect(tail.errors == [])
    }

    @Test func `errors before the last lines are kept, the first ones of many`() {
        let noise = String(repeating: "ocompiling\n", count: 40)
        let errors = (1...9).map { "omain.c:\($0): Error: no\n" }.joined()
        let tail = tail("h error: of the master\n" + noise + errors + noise)
        #expect(tail.errors.map(\.text) == (1...9).map { "main.c:\($0): Error: no" })
        #expect(tail.lines.count == LogTail.lineLimit)
    }

    @Test func `the first line of a part is left out if there are others`() {
        let lines = (1...30).map { "o\($0)\n" }.joined()
        #expect(tail("alf error:\n" + lines, isWhole: false).errors == [])
        #expect(tail("50 %\r100 %", isWhole: false).lines.map(\.text) == ["50 %\r100 %"])
    }

    @Test func `an empty log has no lines`() {
        #expect(tail("").lines == [])
    }

    /// A tool's output, and which of its lines are shown when many others follow.
    struct Case: Sendable, CustomTestStringConvertible {
        let tool: String
        let output: String
        let shown: [String]

        init(_ tool: String, _ output: String, _ shown: [String]? = nil) {
            self.tool = tool
            self.output = output
            self.shown = shown ?? output.split(separator: "\n").map(String.init)
        }

        var testDescription: String { tool }
    }

    private static let cases: [Case] = [
        Case("go build", "# example.com/a\na.go:3:25: undefined: x", ["a.go:3:25: undefined: x"]),
        Case("go test", "--- FAIL: TestBad (0.00s)\n    a_test.go:6: got 1"),
        Case("go panic", "panic: runtime error: index out of range [5] with length 3"),
        Case("swift test", "✘ Test bad() recorded an issue at T.swift:5:3: Expectation failed: x"),
        Case("xctest", "/p/T.swift:7: error: -[T testBad] : XCTAssertEqual failed"),
        Case(
            "swift build",
            "/p/a.swift:1:9: error: cannot find 'x' in scope\n1 | let a = x\n  |         ^",
            ["/p/a.swift:1:9: error: cannot find 'x' in scope"]),
        Case(
            "node --test",
            "not ok 2 - bad\n  ---\n  location: '/p/t.js:5:1'\n  error: 'no'\n  ...\nok 3 - good",
            ["not ok 2 - bad", "  ---", "  location: '/p/t.js:5:1'", "  error: 'no'", "  ..."]),
        Case(
            "rust test",
            "thread 'a' panicked at src/lib.rs:3:5:\nassertion `left == right` failed\n  left: 1\n"
                + " right: 2\n\nnote: run with `RUST_BACKTRACE=1`",
            [
                "thread 'a' panicked at src/lib.rs:3:5:", "assertion `left == right` failed",
                "  left: 1", " right: 2",
            ]),
        Case(
            "rustc",
            "error[E0308]: mismatched types\n --> src/main.rs:2:18\n  |\n2 |     let x: i32 = \"\";\n\n"
                + "For more information",
            [
                "error[E0308]: mismatched types", " --> src/main.rs:2:18", "  |",
                "2 |     let x: i32 = \"\";",
            ]),
        Case(
            "pytest",
            "    def test_a():\n>       assert f() == 2\nE       assert 1 == 2\n\n"
                + "test_a.py:4: AssertionError",
            ["E       assert 1 == 2", "test_a.py:4: AssertionError"]),
        Case("pytest summary", "FAILED test_a.py::test_a - assert 1 == 2\nERROR test_b.py"),
        Case(
            "unittest",
            "FAIL: test_a (test_a.A.test_a)\n-----\nTraceback (most recent call last):\n"
                + "  File \"/p/test_a.py\", line 6, in test_a\n    self.assertEqual(1, 2)\n"
                + "    ~~~~~~~~^^^^^^\nAssertionError: 1 != 2\n\nmore",
            [
                "FAIL: test_a (test_a.A.test_a)", "Traceback (most recent call last):",
                "  File \"/p/test_a.py\", line 6, in test_a", "    self.assertEqual(1, 2)",
                "AssertionError: 1 != 2",
            ]),
        Case(
            "jest", "  ● adds\n\n    expect(received).toBe(expected)\n\n    Expected: 3\nTests: 1",
            ["  ● adds", "    expect(received).toBe(expected)", "    Expected: 3"]),
        Case("ctest", "2/2 Test #2: bad .......***Failed    0.00 sec"),
        Case(
            "cmake",
            "CMake Error at CMakeLists.txt:3 (find_package):\n  By not providing \"x\"\n\n-- done",
            ["CMake Error at CMakeLists.txt:3 (find_package):", "  By not providing \"x\""]),
        Case("tsc", "src/a.ts(2,5): error TS2322: Type 'string' is not assignable"),
        Case("msvc", "main.cpp(3): error C2065: 'x': undeclared identifier"),
        Case("maven", "[ERROR] /p/A.java:[3,5] cannot find symbol"),
        Case("npm", "npm ERR! missing script: build"),
        Case("sh", "sh: line 1: frobnicate: command not found\nSegmentation fault (core dumped)"),
        Case(
            "g++",
            "a.cpp:9:8:   required from here\n/usr/include/c++/12/x.h:5:3: error: no match",
            nil),
        Case(
            "ld", "a.o: in function `main':\na.c:(.text+0x9): undefined reference to `f'",
            ["a.c:(.text+0x9): undefined reference to `f'"]),
        Case("in color", "\u{1B}[31merror\u{1B}[0m: no such thing"),
    ]

    @Test(arguments: cases)
    func `lines that tell of a failure are shown, whatever follows`(_ tool: Case) {
        let noise = String(repeating: "ocompiling something else\n", count: 40)
        let output = tool.output.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "o\($0)\n" }.joined()
        let tail = tail(noise + output + noise)
        #expect(tail.errors.map(\.text) == tool.shown)
    }

    @Test func `lines that may tell of nothing give way to those that tell of failures`() {
        let warnings = String(repeating: "oretrying after Error: busy\n", count: 100)
        let noise = String(repeating: "odone\n", count: 40)
        let tail = tail(warnings + "o--- FAIL: TestBad (0.00s)\n" + noise)
        #expect(tail.errors.count == FailureSearch.lineLimit)
        #expect(tail.errors.last?.text == "--- FAIL: TestBad (0.00s)")
    }

    @Test func `an error is found far before the end of a large log`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        let noise = "o" + String(repeating: "x", count: 99) + "\n"
        let text = "oa.c:3:1: error: no\n" + String(repeating: noise, count: 40_000)
        try Data(text.utf8).write(to: file)
        let tail = try LogTail(ofFile: file.path)
        #expect(tail.errors.map(\.text) == ["a.c:3:1: error: no"])
        #expect(tail.lines.count == LogTail.lineLimit)
        #expect(tail.cause?.file == "a.c")
        #expect(tail.cause?.line == 3)
    }

    @Test(arguments: [
        ("a.c:3:1: error: no", "a.c", 3), (" --> src/main.rs:2:18", "src/main.rs", 2),
        ("src/a.ts(2,5): error TS2322: x", "src/a.ts", 2),
        ("  File \"/p/a b.py\", line 6, in f", "/p/a b.py", 6),
        ("  location: '/p/t.js:5:1'", "/p/t.js", 5),
        ("thread 'a' panicked at src/lib.rs:3:5:", "src/lib.rs", 3),
    ])
    func `the place of a failure is found`(_ text: String, _ file: String, _ line: Int) {
        let place = FailureCause.place(in: text)
        #expect(place?.file == file)
        #expect(place?.line == line)
    }

    @Test(arguments: ["at 12:30:01.5 on 127.0.0.1:8080", "error: no", "https://a.b:1/"])
    func `other numbers are not a place`(_ text: String) {
        #expect(FailureCause.place(in: text) == nil)
    }
}
