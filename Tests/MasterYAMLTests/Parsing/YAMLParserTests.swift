import FoundationEssentials
import Glibc
import MasterYAML
import Testing

struct YAMLFileTests {
    /// Runs a closure with a new folder, which is removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = "/tmp/MasterYAMLTests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        try body(path)
    }

    private func message(of path: String) -> String {
        let output = YAMLParser.parse(contentsOf: path, name: "m.yaml")
        #expect(output.root == nil)
        #expect(output.diagnostics.count == 1)
        return output.diagnostics.first?.rendered() ?? ""
    }

    @Test func `a file is read and known by its path`() throws {
        try withFolder { folder in
            let path = folder + "/m.yaml"
            try Data("a: 1\n".utf8).write(to: URL(filePath: path))
            let output = YAMLParser.parse(contentsOf: path)
            #expect(output.diagnostics.isEmpty)
            #expect(output.file.name == path)
            #expect(output.root?.mapping?["a"]?.resolved == .int(1))
        }
    }

    @Test func `a missing file is said`() throws {
        try withFolder { folder in
            #expect(
                message(of: folder + "/none.yaml")
                    == "m.yaml: error: no such file; pass its path with -c FILE, or write one with "
                    + "'buildmaster init'"
            )
        }
    }

    @Test func `a file with the other ending, or in a folder above, is named`() throws {
        try withFolder { folder in
            let below = folder + "/a/b"
            try FileManager.default.createDirectory(
                atPath: below, withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: folder + "/master.yaml"))
            try Data().write(to: URL(filePath: below + "/other.yml"))
            let start = "m.yaml: error: no such file; did you mean '-c "
            #expect(message(of: below + "/master.yaml") == start + below + "/../../master.yaml'?")
            #expect(message(of: below + "/other.yaml") == start + below + "/other.yml'?")
            #expect(message(of: below + "/none.yaml").contains("no such file; pass its path"))
            try Data().write(to: URL(filePath: below + "/master.yml"))
            #expect(message(of: below + "/master.yaml") == start + below + "/master.yml'?")
        }
    }

    @Test func `a folder is said`() throws {
        try withFolder { folder in
            #expect(message(of: folder).contains("this is a folder; pass the path of a file"))
            try Data().write(to: URL(filePath: folder + "/master.yaml"))
            #expect(message(of: folder).contains("did you mean '-c \(folder)/master.yaml'?"))
            #expect(message(of: folder + "/").contains("did you mean '-c \(folder)/master.yaml'?"))
        }
    }

    @Test func `a pipe is refused without waiting`() throws {
        try withFolder { folder in
            #expect(unsafe mkfifo(folder + "/pipe", 0o600) == 0)
            #expect(message(of: folder + "/pipe").contains("pass the path of a regular file"))
        }
    }

    @Test func `a device is refused`() throws {
        #expect(message(of: "/dev/zero").contains("pass the path of a regular file"))
    }

    @Test func `a file that is too large is refused`() throws {
        try withFolder { folder in
            let path = folder + "/large.yaml"
            let content = Data(repeating: UInt8(ascii: "#"), count: YAMLParser.maximumSize + 1)
            try content.write(to: URL(filePath: path))
            #expect(message(of: path).contains("larger than 16 MiB"))
        }
    }

    @Test func `a link that leads in a circle is said`() throws {
        try withFolder { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/loop", withDestinationPath: "loop")
            #expect(message(of: folder + "/loop").contains("cannot be read"))
        }
    }

    @Test func `a path with NUL is refused`() throws {
        #expect(message(of: "a\0b").contains("NUL"))
    }

    @Test func `a file whose size is not known beforehand is read`() throws {
        let output = YAMLParser.parse(contentsOf: "/proc/self/limits")
        #expect(output.file.text.contains("Max open files"))
    }
}

struct EncodingTests {
    @Test func `a byte order mark is no part of the text`() {
        let output = YAMLParser.parse(bytes: [0xEF, 0xBB, 0xBF] + "a: 1".utf8, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        #expect(output.file.text == "a: 1")
        #expect(output.root?.range?.start == SourcePosition(line: 1, column: 1, offset: 0))
    }

    @Test(
        arguments: [
            ([0xC0, 0x80], 1), ([0xED, 0xA0, 0x80], 1), ([0xF5, 0x80, 0x80, 0x80], 1),
            ([0xE2, 0x82], 1),
            ([0xFF], 1), ([0x80], 1), ([0xE2, 0x82, 0xAC, 0xFE], 2),
        ] as [([UInt8], Int)]
    )
    func `bytes that are not UTF-8 are shown with their place`(bytes: [UInt8], column: Int) throws {
        let output = YAMLParser.parse(bytes: "a: 1\n".utf8 + bytes + "\nb: 2".utf8, name: "m.yaml")
        let diagnostic = try #require(output.diagnostics.first)
        #expect(output.diagnostics.count == 1)
        #expect(output.root == nil)
        #expect(diagnostic.message.contains("is not valid UTF-8"))
        #expect(diagnostic.range?.start.line == 2)
        #expect(diagnostic.range?.start.column == column)
    }

    @Test(arguments: ["é", "€", "\u{1F600}", "\u{10FFFF}", "\u{FFFD}", "\u{D7FF}", "\u{E000}"])
    func `text of every length is accepted`(text: String) {
        let output = YAMLParser.parse("a: \"\(text)\"", name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        #expect(output.root?.mapping?["a"]?.scalar?.value == text)
    }

    @Test(arguments: ["\u{1}", "\u{B}", "\u{1B}", "\u{7F}", "\u{80}", "\u{FEFF}", "\u{FFFE}", "\0"])
    func `control characters are refused wherever they stand`(character: String) {
        for text in ["a: \(character)", "# \(character)", "a: '\(character)'", "\(character)a: 1"] {
            let bytes = character == "\u{FEFF}" ? Array("x".utf8) + text.utf8 : Array(text.utf8)
            let output = YAMLParser.parse(bytes: bytes, name: "m.yaml")
            #expect(output.root == nil)
            #expect(output.diagnostics.count == 1)
        }
    }

    @Test func `the number of complaints about a binary file is bounded`() {
        let output = YAMLParser.parse(bytes: [UInt8](repeating: 1, count: 100_000), name: "m.yaml")
        #expect(output.diagnostics.count == 20)
    }
}

struct MergeKeyTests {
    private func pairs(_ text: String, of key: String = "m") throws -> [String] {
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        let mapping = try #require(output.root?.mapping?[key]?.mapping)
        return mapping.entries.map {
            "\($0.key.scalar?.value ?? "?")=\($0.value.scalar?.value ?? "?")"
        }
    }

    @Test func `a merge key adds the pairs of a mapping where it stands`() throws {
        let text = "x: &x {a: 1, b: 2}\nm: {z: 0, <<: *x, c: 3}\n"
        #expect(try pairs(text) == ["z=0", "a=1", "b=2", "c=3"])
    }

    @Test func `explicit keys win, before and after`() throws {
        let text = "x: &x {a: 1, b: 2}\nm: {a: 9, <<: *x, b: 8}\n"
        #expect(try pairs(text) == ["a=9", "b=8"])
    }

    @Test func `of several mappings the earlier one wins`() throws {
        let text = "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nm: {<<: [*x, *y]}\n"
        #expect(try pairs(text) == ["a=1", "b=2"])
    }

    @Test func `a merged mapping may have merged others`() throws {
        let text = "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nm:\n  <<: *y\n  c: 3\n"
        #expect(try pairs(text) == ["a=1", "b=2", "c=3"])
    }

    @Test func `a quoted merge key is an ordinary key`() throws {
        #expect(try pairs("m: {\"<<\": x}\n") == ["<<=x"])
    }

    @Test func `merged pairs keep the places where they are written`() throws {
        let output = YAMLParser.parse("x: &x {a: 1}\nm: {<<: *x}\n", name: "m.yaml")
        let key = try #require(output.root?.mapping?["m"]?.mapping?.entry(for: "a")?.key)
        #expect(key.range?.start.line == 1)
    }
}
