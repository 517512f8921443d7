import Foundation
import Testing

@testable import MasterRuntime

struct LogFileTests {
    @Test(arguments: [
        ("linux", "compile", "stdio", "logs/linux/3/2-compile-stdio.log"),
        ("linux", "make all", "stdio", "logs/linux/3/2-make_all-stdio.log"),
        ("a/b c", "../../x", "../a\0", "logs/a%2fb%20c/3/2-.._.._x-.._a_.log"),
        ("..", "bücher", "err_text", "logs/%2e./3/2-bücher-err_text.log"),
        ("linux", "a\nb$(x)`y`'\"", "stdio", "logs/linux/3/2-a_b__x__y___-stdio.log"),
    ])
    func `the path is readable and stays in the folder of its build`(
        builder: String, step: String, slug: String, path: String
    ) {
        #expect(LogFile.path(builder: builder, build: 3, step: (2, step), slug: slug) == path)
    }

    @Test func `names of any length fit into the name of a file`() throws {
        let name = String(repeating: "字", count: 50)
        let path = LogFile.path(builder: "b", build: 1, step: (1, name), slug: name)
        let file = try #require(path.split(separator: "/").last)
        #expect(file.utf8.count < 250)
        #expect(file.hasSuffix(".log"))
    }

    @Test(arguments: [
        (0, 12), (1, 8), (2, 4), (3, 0), (4, 0), (100, 0),
    ])
    func `the last lines are found from the end`(count: Int, offset: Int) async throws {
        try await withLog("oab\nocd\noef\n") { log in
            let found = try log.offset(ofLast: count)
            #expect(found == offset)
        }
    }

    @Test func `the last lines are found in a long log`() async throws {
        let line = "o" + String(repeating: "x", count: 99) + "\n"
        try await withLog(String(repeating: line, count: 5000)) { log in
            let (three, many) = (try log.offset(ofLast: 3), try log.offset(ofLast: 4000))
            #expect(three == 4997 * 101)
            #expect(many == 1000 * 101)
        }
    }

    @Test(arguments: [("", 0), ("oone\n", 1), ("oone\nhtwo\n", 2), ("oone\notwo", 1)])
    func `a short log is read as a whole`(text: String, lines: Int) async throws {
        try await withLog(text) { log in
            let (content, count) = (try log.content(), try log.lineCount())
            #expect(content == LogFile.Content(firstLine: 0, text: text))
            #expect(count == lines)
        }
    }

    @Test func `a log that was never written is empty`() throws {
        let log = LogFile(path: NSTemporaryDirectory() + "no-such-log-" + UUID().uuidString)
        #expect(try log.content() == LogFile.Content(firstLine: 0, text: ""))
        #expect(try log.lineCount() == 0)
    }

    @Test func `a log that may not be read is an error`() {
        #expect(throws: (any Error).self) { try LogFile(path: "/proc/self/mem").lineCount() }
    }

    @Test func `of a long log the last whole lines are read, with their position`() async throws {
        let lines = (0..<1000).map { "oline \($0)\n" }
        try await withLog(lines.joined()) { log in
            #expect(try log.lineCount() == 1000)
            for bound in [10, 95, 96, 97, 5000] {
                let content = try log.content(bound: bound)
                #expect(content.text == lines[content.firstLine...].joined())
                #expect(content.text.utf8.count <= bound)
                #expect(content.text.utf8.count > bound - 10)
            }
        }
    }

    @Test(arguments: ["", "\n"])
    func `of a last line that is longer than the bound the begin is read`(
        end: String
    ) async throws {
        let line = "o0123456789012345"
        try await withLog("ofirst\nosecond\n" + line + end) { log in
            let content = try log.content(bound: 10)
            #expect(content == LogFile.Content(firstLine: 2, text: "o012345678\n"))
        }
        try await withLog(line + end) { log in
            let content = try log.content(bound: 10)
            #expect(content == LogFile.Content(firstLine: 0, text: "o012345678\n"))
        }
    }

    @Test func `the bound cuts through characters without harm`() async throws {
        try await withLog("oäöü\noäöü\n") { log in
            for bound in 8..<16 {
                let content = try log.content(bound: bound)
                #expect(content == LogFile.Content(firstLine: 1, text: "oäöü\n"))
            }
            #expect(try log.content(bound: 6).text == "oäö\u{FFFD}\n")
        }
    }

    private func withLog(_ text: String, _ body: (LogFile) throws -> Void) async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/log"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            try body(LogFile(path: path))
        }
    }
}
