import Testing

@testable import MasterYAML

/// Whatever the bytes are: no trap, and either a document or a reason why there is none.
struct HostileInputTests {
    private static let text = """
        # a file with a bit of everything
        title: Hello\tworld   # comment
        "quoted": 'it''s'
        x-base: &base {a: 1, b: [x, "y\\u00e4\\n", ~]}
        services:
          - reporters.HttpStatusPush:
              <<: *base
              serverUrl: !Interpolate "http://%(prop:host)s/"
          - !!str plain
            text over lines
        steps:
        - steps.POST: {url: "é€😀", when: !Not [!Equal [a, b]]}
        - literal: |-
            one
              two
        - folded: >+

            three
            four

        ? [complex, key]
        : value
        ...

        """

    private func check(_ bytes: some Collection<UInt8>) {
        let output = YAMLParser.parse(bytes: Array(bytes), name: "m.yaml")
        if output.root == nil { #expect(output.hasErrors) }
        for diagnostic in output.diagnostics {
            #expect(!diagnostic.rendered().isEmpty)
            #expect(!diagnostic.message.isEmpty)
        }
        if let root = output.root { visit(root) }
    }

    private func visit(_ node: YAMLNode) {
        switch node.kind {
        case .scalar(let scalar):
            let count = scalar.value.utf8.count
            #expect(node.range(ofUTF8: count / 2..<count) != nil)
            #expect(node.trailingComment?.isEmpty != true)
        case .sequence(let items):
            for item in items { visit(item) }
        case .mapping(let mapping):
            for entry in mapping.entries {
                visit(entry.key)
                visit(entry.value)
            }
        }
    }

    @Test func `the text itself is fine`() {
        #expect(YAMLParser.parse(Self.text, name: "m.yaml").diagnostics.isEmpty)
    }

    @Test func `a file that ends at any byte`() {
        let bytes = Array(Self.text.utf8)
        for end in bytes.indices { check(bytes[..<end]) }
    }

    @Test func `a file that begins at any byte`() {
        let bytes = Array(Self.text.utf8)
        for start in bytes.indices { check(bytes[start...]) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a file with some bytes changed`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for _ in 0..<400 {
            var bytes = Array(Self.text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            check(bytes)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a file with some characters of YAML put in or taken out`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let characters = Array("[]{},:#&*!|>'\"%@`-?~ \n\t\r<.\\".utf8)
        for _ in 0..<400 {
            var bytes = Array(Self.text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                if Bool.random(using: &random) {
                    let index = Int.random(in: characters.indices, using: &random)
                    bytes.insert(characters[index], at: place)
                } else {
                    bytes.remove(at: place)
                }
            }
            check(bytes)
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a heap of characters of YAML`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let characters = Array("ab[]{},:#&*!|>'\"%@`-? \n\t\r<\\1é".unicodeScalars)
        for _ in 0..<1000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                text.append(characters[Int.random(in: characters.indices, using: &random)])
            }
            check(Array(String(text).utf8))
        }
    }
}

/// Random numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
