import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

/// The step `steps.Test` on what real programs have printed.
struct TestTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Fixtures/Tests"

    @Test(arguments: [
        ("pytest.txt", TestCounts(passed: 2, failed: 1, skipped: 2, warnings: 1, errors: 1)),
        ("pytest-q.txt", TestCounts(passed: 1)),
        ("unittest.txt", TestCounts(passed: 1, failed: 3, skipped: 2)),
        (
            "pytest-color.txt",
            TestCounts(passed: 2, failed: 1, skipped: 2, warnings: 1, errors: 1)
        ),
        ("go-v.txt", TestCounts(passed: 1, failed: 2, skipped: 1)),
        ("go.txt", TestCounts(failed: 2)),
        ("go-packages.txt", TestCounts(passed: 2, failed: 2)),
        ("go-packages-v.txt", TestCounts(passed: 2, failed: 1)),
        ("cargo.txt", TestCounts(passed: 2, failed: 1, skipped: 1)),
        ("ctest.txt", TestCounts(passed: 1, failed: 2, skipped: 1)),
        ("swift.txt", TestCounts(passed: 3, failed: 3, skipped: 2)),
        ("swift-parallel.txt", TestCounts(passed: 4, failed: 3, skipped: 1)),
    ])
    func `the output of a program is counted`(_ name: String, _ expected: TestCounts) throws {
        var output = TestOutput()
        for line in try Self.read(name).split(separator: "\n") { output.note(String(line)) }
        #expect(output.counts == expected)
    }

    @Test(arguments: [
        ("#", ["# tests 4", "# suites 0", "# pass 1", "# fail 1", "# cancelled 1", "# skipped 1"]),
        ("ℹ", ["ℹ tests 4", "ℹ pass 1", "ℹ fail 2", "ℹ skipped 0", "ℹ todo 1", "ℹ duration_ms 9"]),
    ])
    func `the totals of node are counted`(_ mark: String, _ lines: [String]) {
        var output = TestOutput()
        output.note("\(mark) pass 7")
        for line in lines { output.note(line) }
        #expect(output.counts == TestCounts(passed: 1, failed: 2, skipped: 1))
    }

    @Test(arguments: [
        "9223372036854775807 passed, 9223372036854775807 failed in 1.00s",
        "test result: ok. 9223372036854775807 passed; 9223372036854775807 failed;",
        "[1/9223372036854775807] Testing A.B/c", "Ran 9223372036854775807 tests in 0.1s",
        "0% tests passed, 9223372036854775807 tests failed out of 9223372036854775807",
        "# pass 9223372036854775807",
    ])
    func `numbers whose sum is too large are not counted`(_ line: String) {
        var output = TestOutput()
        output.note("# tests 1")
        for _ in 1...2 { output.note(line) }
        output.note("FAILED (failures=9223372036854775807, errors=9223372036854775807)")
        #expect(output.counts == TestCounts())
    }

    @Testing.Test func `files that pytest can't collect are errors`() async throws {
        try await StepFolder.with { folder in
            let line = "=== 1 error in 0.12s ==="
            let (results, harness) = try await folder.run(
                Test.self, "{command: 'echo \(line); exit 2'}")
            #expect(results == .failure)
            #expect(harness.summary == "1 error")
            #expect(harness.properties["tests-total"] == 0)
            #expect(harness.properties["tests-errors"] == 1)
        }
        #expect(
            TestCounts(passed: 2, failed: 1, errors: 2).words == "3 tests, 1 failed, 2 errors")
    }

    @Testing.Test func `a report of an earlier run is not counted`() async throws {
        try await StepFolder.with { folder in
            try folder.write("<testsuite><testcase/></testsuite>", to: "work/build/old.xml")
            let stale = try await folder.run(Test.self, "{command: 'true', junit: '*.xml'}")
            #expect(stale.results == .failure)
            #expect(stale.harness.summary == "no new file *.xml")
            let one = "<testsuite><testcase/><testcase/></testsuite>"
            let (results, harness) = try await folder.run(
                Test.self, "{command: \"echo '\(one)' > new.xml\", junit: '*.xml'}")
            #expect(results == .success)
            #expect(harness.summary == "2 tests")
            let log = try #require(harness.logs.first { $0.name == "junit" })
            #expect(
                log.lines == ["hnot counted, as the command has not written them: old.xml"])
        }
    }

    @Test(arguments: [
        ("pytest.xml", TestCounts(passed: 2, failed: 2, skipped: 2)),
        ("ctest.xml", TestCounts(passed: 1, failed: 1, skipped: 3)),
        ("swift.xml", TestCounts(passed: 3, failed: 1)),
        ("swift-swift-testing.xml", TestCounts(passed: 1, failed: 2, skipped: 1)),
    ])
    func `a JUnit report is counted`(_ name: String, _ expected: TestCounts) throws {
        #expect(try JUnitReport(try Self.read(name)).counts == expected)
    }

    @Test(arguments: [
        ("", "it has no element <testsuite>"), ("<a/>", "it has no element <testsuite>"),
        ("<testsuite>", "<testsuite> has no end"), ("<testsuite", "it ends within a tag"),
        ("</testsuite>", "</testsuite> ends nothing"), ("<!-- ", "it ends within <!-- "),
        ("<testsuite><![CDATA[</testsuite>", "it ends within <![CDATA["),
    ])
    func `what is no JUnit report is refused with a reason`(_ text: String, _ reason: String) {
        let error = #expect(throws: JUnitReport.Fault.self) { try JUnitReport(text) }
        #expect(error?.description == reason)
    }

    @Testing.Test func `text in a report is not taken for elements`() throws {
        let report = try JUnitReport(
            """
            <testsuite><!-- <testcase/> --><testcase name="a > b"><system-out><![CDATA[<failure/>
            </testcase>]]></system-out></testcase></testsuite>
            """)
        #expect(report.counts == TestCounts(passed: 1))
    }

    @Test(arguments: [
        "12 passed in the end", "Test one() passed", "error in 3s of work", "100% of tests",
        "2 warnings in 3 files", "test result: fine", "--- a/file 3s)", "= 1 thing in 2s =",
        "ok  a 1s", "FAIL", "Ran 5 tests in a row", "OK (skipped=1)", "FAILED (failures=1)",
    ])
    func `other lines are not counted`(_ line: String) {
        var output = TestOutput()
        output.note(line)
        #expect(output.counts == TestCounts())
    }

    @Testing.Test func `counts are in the state and in properties`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                Test.self, "{command: 'cat \(Self.folder)/cargo.txt; exit 101'}")
            #expect(results == .failure)
            #expect(harness.summary == "4 tests, 1 failed, 1 skipped")
            let properties = harness.properties
            #expect(properties["tests-total"] == 4)
            #expect(properties["tests-passed"] == 2)
            #expect(properties["tests-failed"] == 1)
            #expect(properties["tests-skipped"] == 1)
            #expect(properties["tests-warnings"] == 0)
        }
    }

    @Test(arguments: [
        (
            "{command: 'cat \(folder)/cargo.txt | cat'}", Results.failure,
            "4 tests, 1 failed, 1 skipped"
        ),
        ("{command: 'echo 1 passed in 0.1s'}", .success, "1 test"),
        ("{command: 'echo 1 passed in 0.1s; exit 3'}", .failure, "'echo 1 ...': exit 3"),
        ("{command: 'exit 3'}", .failure, "'exit 3': exit 3"),
        ("{command: 'true'}", .success, "'true'"),
        ("{command: 'echo Ran 0 tests in 0.000s'}", .warnings, "no tests ran"),
        ("{command: 'echo Ran 0 tests in 0.000s; exit 5'}", .failure, "'echo Ran ...': exit 5"),
        ("{command: 'true', junit: '*.xml'}", .failure, "no file *.xml"),
        ("{command: 'exit 7', junit: '*.xml'}", .failure, "'exit 7': exit 7"),
        (
            "{command: 'cp \(folder)/*.xml .', junit: 'p*.xml'}", .failure,
            "6 tests, 2 failed, 2 skipped"
        ),
        ("{command: 'echo x > a.xml', junit: [a.xml]}", .failure, "a.xml is not a JUnit report"),
    ])
    func `the result is that of the tests and of the command`(
        _ yaml: String, _ expected: Results, _ text: String
    ) async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(Test.self, yaml)
            #expect(results == expected)
            #expect(harness.summary == text)
        }
    }

    private static func read(_ name: String) throws -> String {
        String(
            decoding: try Data(contentsOf: URL(filePath: "\(folder)/\(name)")), as: UTF8.self)
    }
}
