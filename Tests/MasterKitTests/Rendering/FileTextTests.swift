import Foundation
import MasterKit
import Testing

struct FileTextTests {
    /// A folder of files to read, removed with this object.
    private final class Folder {
        let path = NSTemporaryDirectory() + "file-text-\(UUID().uuidString)"

        init(_ files: [String: [UInt8]]) throws {
            try FileManager.default.createDirectory(
                atPath: path + "/folder", withIntermediateDirectories: true)
            for (name, bytes) in files {
                try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
            }
        }

        deinit {
            #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) }
        }
    }

    private static func folder() throws -> Folder {
        try Folder([
            "token": Array("abc é\n".utf8), "two": Array("a\r\n\r\n".utf8),
            "number": Array("30\n".utf8),
            "binary": [0x61, 0], "latin": [0x61, 0xE9], "empty": [],
            "limit": [UInt8](repeating: 0x61, count: 1 << 20),
            "large": [UInt8](repeating: 0x61, count: (1 << 20) + 1),
        ])
    }

    @Test(arguments: [
        ("!File token", "abc é"), ("!File ./token", "abc é"), ("!File {path: token}", "abc é"),
        ("!File two", "a\r\n"), ("!File empty", ""), ("!File number", "30"),
    ])
    func `the text of a file stands in place of the tag`(yaml: String, text: String) throws {
        let folder = try Self.folder()
        #expect(Reading(yaml, as: String.self, folder: folder.path).value == text)
        let rendered = Reading(yaml, as: Renderable<String>.self, folder: folder.path)
        #expect(rendered.value?.constant == text)
        #expect(rendered.messages == [])
    }

    @Test func `a number or duration may stand in a file, and any text in a value`() throws {
        let folder = try Self.folder()
        #expect(Reading("!File number", as: Int.self, folder: folder.path).value == 30)
        #expect(
            Reading("!File number", as: Duration.self, folder: folder.path).value == .seconds(30))
        let value = Reading(
            "{a: [!File token], !File number : !File limit}", as: Renderable<JSONValue>.self,
            folder: folder.path
        ).value?.constant
        #expect(value?["a"] == ["abc é"])
        #expect(value?["30"]?.stringValue?.count == 1 << 20)
    }

    @Test(arguments: [
        (
            "!File gone",
            "there is no file 'gone'; a relative path starts from the folder of master.yaml"
        ),
        ("!File folder", "'folder' is a folder; give the path of a file in it"),
        (
            "!File large",
            "the file 'large' has more than 1 MiB; only 'data: !File' and 'files' of a request "
                + "send larger ones"
        ),
        ("!File binary", "the file 'binary' is not valid UTF-8"),
        ("!File latin", "the file 'latin' is not valid UTF-8"),
        ("!File /dev/zero", "'/dev/zero' is a pipe, a socket or a device, not a regular file"),
        ("!File", "!File is written !File PATH"),
        ("!File []", "!File is written !File PATH"),
        ("!File {path: token, more: 1}", "!File is written !File PATH"),
        (
            "!File {path: !Property p}",
            "!File is read before any build runs; its path is a plain text, not !Property. In "
                + "'data' of a request it may be computed"
        ),
    ])
    func `a file that can't be read is an error with its place`(
        yaml: String, message: String
    ) throws {
        let folder = try Self.folder()
        for reading in [
            Reading(yaml, as: String.self, folder: folder.path).places,
            Reading(yaml, as: Renderable<String>.self, folder: folder.path).places,
        ] {
            let place = yaml.contains("!Property") ? "1:14" : "1:1"
            #expect(reading == ["\(place): \(message)"])
        }
    }

    @Test func `a misspelt tag is told`() {
        #expect(
            Reading("!Flie x", as: Renderable<String>.self).messages
                == ["unknown tag !Flie; did you mean '!File'?"])
    }

    @Test func `a file is read once`() throws {
        let folder = try Folder(["first": Array("one".utf8)])
        let output = YAMLParser.parse("[!File first, !File first]", name: "m.yaml")
        let decoder = SettingDecoder(folder: folder.path)
        let items = output.root?.sequence ?? []
        #expect(items.first.flatMap { decoder.decode(String.self, from: $0) } == "one")
        try Data("two".utf8).write(to: URL(filePath: "\(folder.path)/first"))
        #expect(items.last.flatMap { decoder.decode(String.self, from: $0) } == "one")
    }
}
