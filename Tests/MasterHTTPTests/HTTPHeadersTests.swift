import MasterHTTP
import Testing

struct HTTPHeadersTests {
    @Test func `names are found whatever their case, and keep their order`() {
        var headers: HTTPHeaders = ["B": "1", "a": "2", "b": "3"]
        #expect(headers["B"] == "1")
        #expect(headers.values("b") == ["1", "3"])
        headers.set("b", "4")
        #expect(headers.map(\.name) == ["b", "a"])
        headers["A"] = nil
        #expect(headers.map(\.value) == ["4"])
        headers["C"] = "5"
        #expect(headers.count == 2)
        #expect(headers.contains("c"))
    }

    @Test func `merging replaces by name`() {
        let base: HTTPHeaders = ["A": "1", "B": "2"]
        let merged = base.merging(["b": "3", "c": "4"])
        #expect(merged.map { "\($0.name)=\($0.value)" } == ["A=1", "b=3", "c=4"])
    }

    @Test(arguments: ["a\r\nX: y", "a\nX", "a\r", "nul\u{0}", "\u{1}", "del\u{7F}"])
    func `a value with a control character cannot be sent`(value: String) throws {
        let error = try #require(throws: HTTPError.self) {
            try HTTPHeaders([("X-Key", value)]).validate()
        }
        #expect(error.code == .invalidHeader)
        #expect(error.message.contains("X-Key"))
        #expect(!error.message.contains(value))
    }

    @Test(arguments: ["", "a b", "a:b", "a\r\nb", "ü", "(a)"])
    func `a name that is not a token cannot be sent`(name: String) throws {
        let error = try #require(throws: HTTPError.self) {
            try HTTPHeaders([(name, "v")]).validate()
        }
        #expect(error.code == .invalidHeader)
        #expect(!error.message.contains("\n"))
    }
}
