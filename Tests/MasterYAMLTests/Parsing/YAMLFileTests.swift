import FoundationEssentials
import Glibc
import Testing

@testable import MasterYAML

struct YAMLFileTests {
    /// Lends a fresh folder, which is removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = "/tmp/MasterYAMLTests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
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
                    == "m.yaml: error: there is no such file; give its path with -c FILE"
            )
        }
    }

    @Test func `a folder is said`() throws {
        try withFolder { folder in
            #expect(message(of: folder).contains("this is a folder"))
        }
    }

    @Test func `a pipe is refused without waiting`() throws {
        try withFolder { folder in
            #expect(unsafe mkfifo(folder + "/pipe", 0o600) == 0)
            #expect(message(of: folder + "/pipe").contains("no ordinary file"))
        }
    }

    @Test func `a device is refused`() throws {
        #expect(message(of: "/dev/zero").contains("no ordinary file"))
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
                atPath: folder + "/loop",
                withDestinationPath: "loop"
            )
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
