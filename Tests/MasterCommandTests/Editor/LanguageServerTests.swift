import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand

/// The server as a real client drives it: pygls, which `.ci/python` installs.
@Suite(.timeLimit(.minutes(2)))
struct LanguageServerClientTests {
    private static let python = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: ".build/python/bin/python").path

    private static let script = #"""
        import asyncio, sys
        from lsprotocol import types as t
        from pygls.lsp.client import LanguageClient

        program, uri = sys.argv[1], "file:///w/master.yaml"

        async def main():
            client = LanguageClient("test", "1")
            arrived = asyncio.Queue()

            @client.feature(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
            def published(parameters):
                arrived.put_nowait(parameters)

            await client.start_io(program, "lsp")
            await client.initialize_async(t.InitializeParams(capabilities=t.ClientCapabilities()))
            client.initialized(t.InitializedParams())
            version = 0

            async def open(text):
                client.text_document_did_open(t.DidOpenTextDocumentParams(
                    t.TextDocumentItem(uri=uri, language_id="yaml", version=1, text=text)))
                return (await arrived.get()).diagnostics

            async def change(text):
                nonlocal version
                version += 1
                client.text_document_did_change(t.DidChangeTextDocumentParams(
                    t.VersionedTextDocumentIdentifier(uri=uri, version=version + 1),
                    [t.TextDocumentContentChangeWholeDocument(text=text)]))

            def at(text):
                head = text.split("|")[0]
                line = head.count("\n")
                column = len(head.split("\n")[-1].encode("utf-16-le")) // 2
                return t.Position(line=line, character=column)

            async def labels(text):
                await change(text.replace("|", "", 1))
                found = await client.text_document_completion_async(t.CompletionParams(
                    t.TextDocumentIdentifier(uri=uri), at(text)))
                return {item.label: item for item in found}

            async def hover(text):
                await change(text.replace("|", "", 1))
                found = await client.text_document_hover_async(t.HoverParams(
                    t.TextDocumentIdentifier(uri=uri), at(text)))
                return found and found.contents.value

            async def definition(text):
                await change(text.replace("|", "", 1))
                found = await client.text_document_definition_async(t.DefinitionParams(
                    t.TextDocumentIdentifier(uri=uri), at(text)))
                return found and (found.range.start.line, found.range.start.character)

            found = await open("steps:\n  - steps.ShellComand: make\n")
            assert [d.message.split(";")[0] for d in found] == ["there is no plugin 'steps.ShellComand'"], found
            assert (found[0].range.start.line, found[0].range.start.character) == (1, 4)
            await change("title: '\U0001F600 é'\nsteps: [steps.ShellCommand: {command: '\U0001F600', nme: x}]\n")
            found = (await arrived.get()).diagnostics
            assert len(found) == 1 and found[0].range.start == t.Position(1, 44), found
            keys = await labels("ti|")
            assert "title" in keys and "steps" in keys, keys
            assert keys["title"].text_edit.new_text == "title: "
            assert keys["title"].text_edit.range.start.character == 0
            keys = await labels("title: x\nsteps:\n  - |")
            assert "steps.POST" in keys and "factories.CMake" in keys and "title" not in keys, keys
            keys = await labels("steps:\n  - steps.POST:\n      url: http://h/\n      h|\n      json: 1\n")
            assert "headers" in keys and "haltOnFailure" in keys and "url" not in keys and "json" not in keys, keys
            keys = await labels("steps:\n- steps.POST:\n    auth:\n      |")
            assert set(keys) == {"basic", "digest", "bearer", "netrc"}, keys
            keys = await labels("services:\n  - reporters.HttpStatusPush:\n      generators:\n        - generators.BuildStatusGenerator:\n            mode: |")
            assert "failing" in keys and "all" in keys, keys
            keys = await labels("steps:\n  - steps.POST: {url: x, haltOnFailure: |}")
            assert set(keys) == {"true", "false"}, keys
            keys = await labels("steps:\n  - steps.POST: {url: x, hal|}")
            assert "haltOnFailure" in keys, keys
            names = "builders:\n  - name: linux\n    steps: []\n  - name: all\n    steps:\n      - steps.Trigger: {builderNames: [|]}\n"
            keys = await labels(names)
            assert "linux" in keys and "all" in keys, keys
            keys = await labels("factories:\n  fast: []\nbuilders:\n  - name: a\n    factory: f|\n")
            assert "fast" in keys, keys
            keys = await labels("builders:\n  - name: a\n    needs:\n      - |\n    steps: []\n")
            assert "a" in keys, keys
            keys = await labels("steps:\n  - steps.ShellCommand: !|")
            assert "!Interpolate" in keys, keys
            assert "Address" not in (await hover("ti|tle: x\nsteps: []\n")) 
            assert "The name of the master." in (await hover("ti|tle: x\nsteps: []\n"))
            assert "Sends a POST request" in (await hover("steps:\n  - steps.PO|ST: {url: 'http://h/'}\n"))
            assert "The address of the request." in (await hover("steps:\n  - steps.POST: {u|rl: 'http://h/'}\n"))
            assert "!Property" in (await hover("steps:\n  - steps.POST: {url: !Prop|erty a}\n"))
            assert await hover("# comm|ent\nsteps: []\n") is None
            assert await definition("factories:\n  fast: []\nbuilders:\n  - name: a\n    factory: fa|st\n") == (1, 2)
            assert await definition("x-a: &base {name: x}\nsteps:\n  - steps.POST: {<<: *ba|se, url: 'http://h/'}\n") == (0, 5)
            assert await definition("builders:\n  - name: linux\n    steps: []\n  - {name: b, needs: lin|ux, steps: []}\n") == (1, 10)
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()
            print("done")

        asyncio.run(main())
        """#

    @Test func `an editor gets mistakes, completions, help and places`() async throws {
        try #require(
            FileManager.default.fileExists(atPath: Self.python),
            "this test needs Python with its packages in .build/python; .ci/python makes it")
        try await Program.inFolder(["client.py": Self.script]) { program in
            let ended = try await program.run(
                ["client.py", Program.path], executable: Self.python
            ) { _ in }
            #expect(ended.output.hasSuffix("done\n"), "\(ended.output)\(ended.error)")
        }
    }
}

struct LanguageServerTests {
    private func server() -> LanguageServer {
        var server = LanguageServer(registry: .empty, environment: [:])
        #expect(server.handle(Self.request("initialize")).count == 1)
        return server
    }

    private static func request(_ method: String, _ parameters: JSONValue = [:]) -> String {
        JSONWriter.compact.string([
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": parameters,
        ])
    }

    private static func notification(_ method: String, _ parameters: JSONValue = [:]) -> String {
        JSONWriter.compact.string([
            "jsonrpc": "2.0", "method": .string(method), "params": parameters,
        ])
    }

    private static func opening(_ text: String, _ uri: String = "file:///w/master.yaml") -> String {
        notification(
            "textDocument/didOpen",
            ["textDocument": ["uri": .string(uri), "version": 1, "text": .string(text)]])
    }

    @Test func `what is not a message is answered, and the next one is served`() {
        var server = server()
        let wrong = [
            ("{", -32700), ("[]", -32600), ("{}", -32600), (#"{"id": 7, "params": 1}"#, -32600),
            (Self.request("textDocument/rename"), -32601),
        ]
        for (text, code) in wrong {
            #expect(server.handle(text).map { $0["error"]?["code"] } == [.int(code)], "\(text)")
        }
        for text in [#"{"id": 1, "result": null}"#, Self.notification("$/setTrace")] {
            #expect(server.handle(text) == [])
        }
        let places: [JSONValue] = [
            [:], ["textDocument": ["uri": "file:///other.yaml"]], "x",
            ["textDocument": ["uri": "file:///w/master.yaml"], "position": ["line": 99]],
            [
                "textDocument": ["uri": "file:///w/master.yaml"],
                "position": ["line": -1, "character": 99999999],
            ],
            [
                "textDocument": ["uri": "file:///w/master.yaml"],
                "position": ["line": 0, "character": 99999999],
            ],
        ]
        #expect(server.handle(Self.opening("a: [")).count == 1)
        for place in places {
            for method in ["completion", "hover", "definition"] {
                let answers = server.handle(Self.request("textDocument/\(method)", place))
                #expect(answers.count == 1 && answers[0]["result"] != nil)
            }
        }
    }

    @Test func `a request before initialize, and one after shutdown, is refused`() {
        var fresh = LanguageServer(registry: .empty, environment: [:])
        let early = fresh.handle(Self.request("shutdown"))
        #expect(early.map { $0["error"]?["code"] } == [-32002])
        var server = server()
        #expect(server.handle(Self.request("shutdown")).map { $0["result"] } == [.null])
        let late = server.handle(Self.request("textDocument/hover"))
        #expect(late.map { $0["error"]?["code"] } == [-32600])
        #expect(server.exitStatus == nil)
        #expect(server.handle(Self.notification("exit")) == [])
        #expect(server.exitStatus == .success)
    }

    @Test func `to exit without shutdown, or to be gone, is a failure`() {
        var first = server()
        _ = first.handle(Self.notification("exit"))
        #expect(first.exitStatus == .failure)
        var second = server()
        second.disconnect()
        #expect(second.exitStatus == .failure)
    }

    @Test func `a change is checked once, when it is asked for, from memory`() throws {
        var server = server()
        let opened = server.handle(Self.opening("steps: []\ntitel: x\n"))
        #expect(opened.first?["params"]?["diagnostics"]?.arrayValue?.count == 1)
        for text in ["steps: 1", "steps: []\n"] {
            let change = server.handle(
                Self.notification(
                    "textDocument/didChange",
                    [
                        "textDocument": ["uri": "file:///w/master.yaml", "version": 2],
                        "contentChanges": [["text": .string(text)]],
                    ]))
            #expect(change == [])
        }
        let checked = server.checkChanged()
        #expect(checked.map { $0["params"]?["diagnostics"] } == [[]])
        #expect(checked.first?["params"]?["version"] == 2)
        #expect(server.checkChanged() == [])
        let closed = server.handle(
            Self.notification(
                "textDocument/didClose", ["textDocument": ["uri": "file:///w/master.yaml"]]))
        #expect(closed.map { $0["params"]?["diagnostics"] } == [[]])
    }

    private struct Ranged: Reporter {
        static let summary = "Has numbers in ranges."
        @Setting("A port.", .within(1...65535)) var port = 80
        @Setting("A share.", .within(0...0.5)) var share = 0.25
        @Setting("Numbers.", .within(1...)) var numbers: [Int] = []
        @Setting("Computed numbers.", .within(2...3)) var computed: [Renderable<Int>] = []
        @Setting("A wait.", .within(.seconds(1)...(.seconds(60)))) var wait = Duration.seconds(2)

        func send(_ report: Report, in context: DeliveryContext) async throws {}
    }

    @Test func `the schema has the range of numbers, and of each number in a list`() throws {
        let registry = try Registry([PluginBundle(Ranged.self)])
        let schema = ConfigurationSchema.json(for: registry)
        let plugin = schema["definitions"]?["reporters.Ranged"]
        // A mapping, or null.
        let settings = (plugin?["anyOf"]?.arrayValue ?? []).compactMap { $0["properties"] }.first
        let port = settings?["port"]
        #expect(port?["minimum"] == 1 && port?["maximum"] == 65535)
        #expect(settings?["share"]?["maximum"] == 0.5)
        #expect(settings?["numbers"]?["items"]?["minimum"] == 1)
        #expect(settings?["numbers"]?["items"]?["maximum"] == nil)
        let items = settings?["computed"]?["items"]?["anyOf"]?.arrayValue
        #expect(items?.first?["minimum"] == 2)
        #expect(settings?["wait"]?["maximum"] == 60, "of a number of seconds")
    }

    @Test func `a file of another program is left alone`() {
        var server = server()
        let opened = server.handle(
            Self.opening("services: {web: {image: nginx}}", "file:///w/compose.yaml"))
        #expect(opened.map { $0["params"]?["diagnostics"] } == [[]])
    }

    @Test func `messages are found in a stream, also after what is none`() {
        var framing = MessageFraming()
        let bytes =
            Array("nonsense\r\n\r\n".utf8)
            + Array("Content-Type: x\r\ncontent-length: 2\r\n\r\n{}".utf8)
            + Array("Content-Length: -5\r\n\r\nContent-Length: x\r\n\r\n".utf8)
            + MessageFraming.framed(["a": "é"])
        var found: [String] = []
        for byte in bytes {
            framing.append([byte])
            while let message = framing.next() { found.append(message) }
        }
        #expect(found == ["{}", #"{"a":"é"}"#])
    }

    @Test func `a message that is too large is skipped, and an endless header is dropped`() {
        var framing = MessageFraming()
        let size = (64 << 20) + 1
        framing.append(Array("Content-Length: \(size)\r\n\r\n".utf8))
        var left = size
        let block = [UInt8](repeating: 0x20, count: 1 << 20)
        while left > 0 {
            framing.append(Array(block.prefix(left)))
            #expect(framing.next() == nil)
            left -= min(left, block.count)
        }
        for _ in 0..<100 {
            framing.append([UInt8](repeating: 0x61, count: 4096))
            #expect(framing.next() == nil)
        }
        framing.append(Array("\r\n\r\n".utf8) + MessageFraming.framed([]))
        #expect(framing.next() == "[]")
    }
}
