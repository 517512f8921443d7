/// The number of tests, by result.
struct TestCounts: Equatable {
    var passed = 0
    var failed = 0
    var skipped = 0
    var warnings = 0
    /// What went wrong outside of the tests, such as files that can't be imported.
    var errors = 0

    /// Whether a test failed, or could not be run.
    var hasFailed: Bool { failed + errors > 0 }
    var total: Int { passed + failed + skipped }

    static func + (one: TestCounts, other: TestCounts) -> TestCounts {
        TestCounts(
            passed: one.passed + other.passed, failed: one.failed + other.failed,
            skipped: one.skipped + other.skipped, warnings: one.warnings + other.warnings,
            errors: one.errors + other.errors)
    }

    /// The counts as a state text: `12 tests, 1 failed, 2 skipped`.
    var words: String {
        var parts = [total == 1 ? "1 test" : "\(total) tests"]
        if failed > 0 { parts.append("\(failed) failed") }
        if errors > 0 { parts.append(errors == 1 ? "1 error" : "\(errors) errors") }
        if skipped > 0 { parts.append("\(skipped) skipped") }
        if warnings > 0 { parts.append(warnings == 1 ? "1 warning" : "\(warnings) warnings") }
        if total == 0, parts.count > 1 { parts.removeFirst() }
        return parts.joined(separator: ", ")
    }
}

/// Counts the tests in the output of any of XCTest, Swift Testing, pytest, unittest, cargo test, go
/// test, CTest and node --test.
struct TestOutput {
    /// Counts added up line by line: Swift Testing and go test print one line per test, cargo test
    /// one per program.
    private var added = TestCounts()
    /// Whether go test has printed a line for a test of the present package.
    private var hasGoTest = false
    private var xctest = TestCounts()
    /// The number of XCTest tests run in parallel, where only failed tests have lines.
    private var parallelCount = 0
    /// The totals printed by pytest, once at the end of each run.
    private var pytest = TestCounts()
    private var unittest = UnittestCounts()
    private var ctest = CTestCounts()
    private var node = NodeCounts()
    /// Whether a program has said that it found no tests.
    private(set) var saysNone = false

    /// The total counts.
    var counts: TestCounts {
        var xctest = xctest
        xctest.passed = max(xctest.passed, parallelCount - xctest.failed - xctest.skipped)
        return added + xctest + pytest + unittest.counts + ctest.counts + node.counts
    }

    /// Counts what a line of output reports.
    mutating func note(_ line: String) {
        node.note(line)
        saysNone = saysNone || Self.noTests.contains { line.hasPrefix($0) }
        guard Self.mayCount(line) else { return }
        let text = line.withoutColors
        if noteXCTest(text) || noteSwiftTesting(text) || noteGo(text) || noteCargo(text) { return }
        if let found = Self.pytest(text) { pytest = pytest + found }
        unittest.note(text)
        ctest.note(text)
    }

    /// How lines begin that say that there are no tests.
    private static let noTests = [
        "Ran 0 tests in ", "no tests ran in ", "running 0 tests", "# tests 0", "ℹ tests 0",
        "No tests were found!!!", "testing: warning: no tests to run",
    ]

    /// Fragments of words, at least one of which occurs in every relevant line.
    private static let marks = [
        "pass", "fail", "skip", "Skip", "erro", "] Te", "--- ", "g te", "Ran ", "ok  ", "FAIL",
    ]
    .map { $0.utf8.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }

    /// Whether a line may be relevant; nearly all lines of nearly all programs are not.
    private static func mayCount(_ line: String) -> Bool {
        var mark: UInt32 = 0
        return line.utf8.contains { byte in
            mark = mark << 8 | UInt32(byte)
            return marks.contains(mark)
        }
    }

    /// `Test Case 'OldTests.testBad' failed (0.0 seconds)`, or in parallel
    /// `[4/4] Testing Tests.OldTests/testBad`
    private mutating func noteXCTest(_ line: String) -> Bool {
        if line.hasPrefix("["), let end = line.firstRange(of: "] Testing "),
            let slash = line[..<end.lowerBound].lastIndex(of: "/"),
            let count = line[line.index(after: slash)..<end.lowerBound].testCount
        {
            parallelCount = max(parallelCount, count)
            return true
        }
        guard let start = line.firstRange(of: "Test Case '"), line.hasSuffix(" seconds)"),
            let name = line[start.upperBound...].lastIndex(of: "'")
        else { return false }
        let rest = line[line.index(after: name)...]
        return xctest.count(rest, passed: " passed (", failed: " failed (", skipped: " skipped (")
    }

    /// `✘ Test bad() failed after 0.001 seconds with 2 issues.`
    ///
    /// The symbols depend on the system and its settings; suites, test cases of a parameterized
    /// test and the whole run have lines of the same form.
    private mutating func noteSwiftTesting(_ line: String) -> Bool {
        let words = line.drop { !$0.isWhitespace }.drop(while: \.isWhitespace)
        guard words.hasPrefix("Test "),
            line.first.map({ !$0.isLetter && !$0.isWhitespace }) == true,
            !words.hasPrefix("Test run with "), !words.hasPrefix("Test case passing ")
        else { return false }
        if words.hasSuffix(" skipped.") || words.contains(" skipped: ") {
            added.skipped += 1
            return true
        }
        guard let end = words.ranges(of: " after ").last, words.contains(" seconds") else {
            return false
        }
        let before = words[..<end.lowerBound]
        if before.hasSuffix(" passed") {
            added.passed += 1
        } else if before.hasSuffix(" failed") {
            added.failed += 1
        } else {
            return false
        }
        return true
    }

    /// `--- FAIL: TestBad (0.00s)`; the lines of subtests are indented.
    ///
    /// Without `-v`, tests that pass have no line, nor has a package that can't be built: such a
    /// package counts as one test, by its own line `ok  \ta\t0.004s` or `FAIL\ta [build failed]`.
    private mutating func noteGo(_ line: String) -> Bool {
        if line.hasPrefix("ok  \t") || line.hasPrefix("FAIL\t") {
            if !hasGoTest, !line.hasSuffix("[no tests to run]") {
                if line.hasPrefix("ok") { added.passed += 1 } else { added.failed += 1 }
            }
            hasGoTest = false
            return true
        }
        guard line.hasPrefix("--- "), line.hasSuffix("s)") else { return false }
        hasGoTest = true
        return added.count(
            line.dropFirst(4), passed: "PASS: ", failed: "FAIL: ", skipped: "SKIP: ")
    }

    /// `test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; …`
    private mutating func noteCargo(_ line: String) -> Bool {
        guard line.hasPrefix("test result: ") else { return false }
        let numbers = line.numbers { $0 == ";" || $0 == "." }
        guard let passed = numbers["passed"], let failed = numbers["failed"] else { return false }
        added.passed += passed
        added.failed += failed
        added.skipped += numbers["ignored"] ?? 0
        return true
    }

    /// `==== 1 failed, 2 passed, 1 skipped, 1 warning in 7.43s ====`, with `-q` without the `=`
    /// signs.
    private static func pytest(_ line: String) -> TestCounts? {
        let inner = line.trimming { $0 == "=" || $0 == " " }
        guard let end = inner.ranges(of: " in ").last, inner[end.upperBound...].isTime else {
            return nil
        }
        let known: Set = [
            "passed", "failed", "skipped", "error", "errors", "xfailed", "xpassed", "warning",
            "warnings", "deselected", "rerun", "subtests passed",
        ]
        let parts = inner[..<end.lowerBound].split(separator: ", ")
        let numbers = String(inner[..<end.lowerBound]).numbers { $0 == "," }
        guard !numbers.isEmpty, numbers.count == parts.count,
            numbers.keys.allSatisfy(known.contains)
        else { return nil }
        func sum(_ names: String...) -> Int { names.reduce(0) { $0 + (numbers[$1] ?? 0) } }
        return TestCounts(
            passed: sum("passed", "xpassed"), failed: sum("failed"),
            skipped: sum("skipped", "xfailed"), warnings: sum("warning", "warnings"),
            errors: sum("error", "errors"))
    }
}

extension TestCounts {
    /// Counts a test by the prefix of its line.
    fileprivate mutating func count(
        _ text: Substring, passed: String, failed: String, skipped: String
    ) -> Bool {
        if text.hasPrefix(passed) {
            self.passed += 1
        } else if text.hasPrefix(failed) {
            self.failed += 1
        } else if text.hasPrefix(skipped) {
            self.skipped += 1
        } else {
            return false
        }
        return true
    }
}

/// The summaries printed by Python's unittest, each of two lines: `Ran 6 tests in 0.021s` and
/// `FAILED (failures=1, errors=1, skipped=1)`, or `OK (skipped=1)`.
private struct UnittestCounts {
    private(set) var counts = TestCounts()
    /// The number of tests in a summary whose second line is to come.
    private var ranCount: Int?

    mutating func note(_ line: String) {
        if let count = Self.count(line) {
            counts.passed += count
            ranCount = count
        } else if let ran = ranCount, let numbers = Self.numbers(line) {
            func sum(_ names: String...) -> Int { names.reduce(0) { $0 + (numbers[$1] ?? 0) } }
            let failed = sum("failures", "errors", "unexpected successes")
            let skipped = sum("skipped", "expected failures")
            // What fails before any test, such as the setup of a class, is not among those that ran.
            counts.passed -= min(ran, failed + skipped)
            counts.failed += failed
            counts.skipped += skipped
            ranCount = nil
        }
    }

    private static func count(_ line: String) -> Int? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 5, words[0] == "Ran", words[2] == "tests" || words[2] == "test",
            words[3] == "in", words[4].isTime
        else { return nil }
        return words[1].testCount
    }

    private static func numbers(_ line: String) -> [String: Int]? {
        guard let start = ["FAILED (", "OK ("].first(where: line.hasPrefix), line.hasSuffix(")")
        else { return nil }
        var numbers: [String: Int] = [:]
        for part in line.dropFirst(start.count).dropLast().split(separator: ", ") {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let number = pair[1].testCount else { return nil }
            numbers[String(pair[0])] = number
        }
        return numbers
    }
}

/// The summary printed by CTest: a line of numbers, and the tests that did not run.
private struct CTestCounts {
    private var failed = 0
    private var total = 0
    private var skipped = 0
    private var isListing = false

    var counts: TestCounts {
        TestCounts(passed: total - failed - skipped, failed: failed, skipped: skipped)
    }

    mutating func note(_ line: String) {
        if line.hasPrefix("The following tests ") {
            isListing = line == "The following tests did not run:"
        } else if isListing, line.hasPrefix("\t"), line.hasSuffix("(Skipped)") {
            // Disabled tests are not in the total.
            skipped += 1
        } else if let numbers = Self.numbers(line) {
            failed += numbers.failed
            total += numbers.total
        }
    }

    /// `50% tests passed, 2 tests failed out of 4`
    private static func numbers(_ line: String) -> (failed: Int, total: Int)? {
        guard line.utf8.first.map({ (0x30...0x39).contains($0) }) == true else { return nil }
        let words = line.split(separator: " ")
        guard words.count == 9, words[0].hasSuffix("%"), words[1] == "tests",
            words[2] == "passed,", words[5] == "failed", words[6] == "out",
            let failed = words[3].testCount, let total = words[8].testCount
        else { return nil }
        return (failed, total)
    }
}

/// The totals printed by `node --test`: `# pass 2`, or `ℹ pass 2`, each in a line, after that of
/// all tests.
private struct NodeCounts {
    private(set) var counts = TestCounts()
    private var isListing = false

    mutating func note(_ line: String) {
        guard line.utf8.first == UInt8(ascii: "#") || line.utf8.first == 0xE2 else { return }
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "#" || words[0] == "ℹ",
            let count = words[2].testCount
        else { return }
        switch words[1] {
        case "tests": isListing = true
        case "pass" where isListing: counts.passed += count
        case "fail" where isListing, "cancelled" where isListing: counts.failed += count
        case "skipped" where isListing, "todo" where isListing: counts.skipped += count
        default: break
        }
    }
}

extension String {
    /// The text without the escape sequences for terminal colors.
    fileprivate var withoutColors: String {
        guard utf8.contains(0x1B) else { return self }
        var result = ""
        var rest = self[...]
        while let escape = rest.firstIndex(of: "\u{1B}") {
            result += rest[..<escape]
            let sequence = rest[escape...].dropFirst()
            guard sequence.first == "[", let end = sequence.firstIndex(where: \.isLetter) else {
                rest = sequence
                continue
            }
            rest = sequence[sequence.index(after: end)...]
        }
        return result + rest
    }

    /// The numbers of a list such as `1 failed, 2 passed`, keyed by what they count.
    fileprivate func numbers(
        separatedBy isSeparator: (Character) -> Bool
    ) -> [String: Int] {
        var numbers: [String: Int] = [:]
        for part in split(whereSeparator: isSeparator) {
            let words = part.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let number = words[0].testCount else { continue }
            numbers[String(words[1])] = number
        }
        return numbers
    }

    /// The text with certain characters trimmed from both ends.
    fileprivate func trimming(_ isOuter: (Character) -> Bool) -> Substring {
        let start = drop(while: isOuter)
        guard let last = start.lastIndex(where: { !isOuter($0) }) else { return "" }
        return start[...last]
    }
}

extension Substring {
    /// A number of tests; `nil` beyond nine digits, as any program can print numbers whose sum is too
    /// large.
    fileprivate var testCount: Int? {
        utf8.count <= 9 && utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(self) : nil
    }

    /// Whether it is a time in pytest's format: `7.43s`, or `61.20s (0:01:01)`.
    fileprivate var isTime: Bool {
        guard let time = split(separator: " ").first, time.last == "s" else { return false }
        return Double(time.dropLast()) != nil
    }
}
