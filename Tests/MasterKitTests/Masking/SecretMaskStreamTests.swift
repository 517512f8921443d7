import MasterKit
import Testing

struct SecretMaskStreamTests {
    private func run(_ mask: SecretMask, _ pieces: [String]) -> [String] {
        var stream = mask.stream()
        var output = pieces.map { piece in
            String(decoding: stream.process(Array(piece.utf8)[...]), as: UTF8.self)
        }
        output.append(String(decoding: stream.finish(), as: UTF8.self))
        return output
    }

    @Test func `only what may begin a secret is held back`() {
        let mask = SecretMask([(name: "t", value: "hunter2!")])
        #expect(run(mask, ["abc", "x hun", "ter", "2!y"]) == ["abc", "x ", "", "<t>y", ""])
        #expect(run(mask, ["x hun", "dred"]) == ["x ", "hundred", ""])
        #expect(run(mask, ["x hunter2"]) == ["x ", "hunter2"])
    }

    @Test func `blank lines are not held back, whatever stands before them`() {
        let mask = SecretMask([(name: "t", value: "hunter2!")])
        #expect(run(mask, ["aHVu", "\n\n\n", "\n"]) == ["", "aHVu\n\n\n", "\n", ""])
        #expect(run(mask, ["aHVu\r", "\ndGVyMiE="]) == ["", "<t>=", ""])
    }

    @Test func `a longer secret is waited for`() {
        let mask = SecretMask([(name: "s", value: "abcd"), (name: "l", value: "abcdefgh")])
        #expect(run(mask, ["abcd", "efgh"]) == ["", "<l>", ""])
        #expect(run(mask, ["abcd", "ef-"]) == ["", "<s>ef-", ""])
        #expect(run(mask, ["abcd"]) == ["", "<s>"])
    }

    @Test func `an overlap that is divided leaves nothing`() {
        let mask = SecretMask([(name: "a", value: "abcdef"), (name: "b", value: "defghi")])
        #expect(run(mask, ["abcdef", "ghi-"]) == ["<a>", "<b>-", ""])
        #expect(run(mask, ["abcdef", "gh-"]) == ["<a>", "gh-", ""])
        #expect(run(mask, ["abcdef"]).joined() == "<a>")
    }

    @Test func `without secrets everything passes as it is`() {
        #expect(run(SecretMask([]), ["a", "", "b"]) == ["a", "", "b", ""])
    }

    @Test func `a stream can be used again after its end`() {
        let mask = SecretMask([(name: "t", value: "hunter2!")])
        var stream = mask.stream()
        _ = stream.process(Array("hun".utf8)[...])
        #expect(stream.finish() == Array("hun".utf8))
        #expect(stream.process(Array("ter2! ".utf8)[...]) == Array("ter2! ".utf8))
    }

    @Test func `however output is divided, what is written is the same and holds no secret`() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab/%".utf8)
        func text(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        }
        for _ in 0..<1_000 {
            let secrets = (0..<Int.random(in: 1...3, using: &random)).map { index in
                (
                    name: "\(index)",
                    value: String(
                        decoding: text(Int.random(in: 3...6, using: &random)), as: UTF8.self)
                )
            }
            let mask = SecretMask(secrets)
            let bytes = text(60)
            let whole = mask.apply(to: bytes)
            var stream = mask.stream()
            var divided: [UInt8] = []
            var index = 0
            while index < bytes.count {
                let end = min(index + Int.random(in: 1...9, using: &random), bytes.count)
                divided += stream.process(bytes[index..<end])
                index = end
            }
            divided += stream.finish()
            #expect(divided == whole)
            let shown = String(decoding: whole, as: UTF8.self)
            for secret in secrets {
                #expect(!shown.contains(secret.value))
            }
        }
    }

    @Test(arguments: ["\u{301}", "\u{301}abc/defgh", "abcdefgh\u{301}", "/\u{301}<&>\u{301}x"])
    func `a mark that combines with a quote is masked in JSON, too`(value: String) {
        let mask = SecretMask([(name: "mark", value: value)])
        let json = JSONWriter.compact.string(.string(value))
        #expect(mask.apply(to: json) == "\"<mark>\"")
    }

    @Test func `random bytes pass or are masked, never a trap`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let value = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let mask = SecretMask([(name: "r", value: String(decoding: value, as: UTF8.self))])
            var stream = mask.stream()
            for _ in 0..<8 {
                let bytes = (0..<Int.random(in: 0..<50, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                _ = stream.process((bytes + value)[...])
            }
            _ = stream.finish()
        }
    }
}
