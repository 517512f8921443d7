import MasterKit
import Testing

struct ConfiguredPluginTests {
    @Test func `a plugin is configured from code`() throws {
        let step = try Sample.configured([
            "url": "http://h/", "verify": false, "mode": "thorough", "timeout": "5m",
            "counts": [1, 2], "data": ["a": 1.5],
        ])
        #expect(step.url.constant?.text == "http://h/")
        #expect(!step.verify)
        #expect(step.mode == .thorough)
        #expect(step.limits.timeout == .seconds(300))
        #expect(step.counts.constant == [1, 2])
        #expect(step.data.constant == .some(["a": 1.5]))
        #expect(step.token == nil)
    }

    @Test func `everything that is wrong is thrown at once`() {
        let error = #expect(throws: ConfigurationError.self) {
            try Sample.configured(["verify": "no", "mode": "fats", "tries": 1, "max_tries": 2])
        }
        #expect(
            error?.diagnostics.map(\.message) == [
                "'verify' of steps.Sample must be true or false; 'no' is a text in YAML 1.2, "
                    + "write false",
                "'mode' of steps.Sample can't be 'fats'; did you mean 'fast'?",
                "steps.Sample has both 'tries' and 'max_tries'; keep one",
                "steps.Sample needs 'url', an address such as http://127.0.0.1:9980/status",
            ])
        #expect(error?.description.split(separator: "\n").count == 4)
    }

    @Test func `a node may hold expressions`() throws {
        let node = YAMLNode(["url": YAMLNode("address", tag: YAMLTag(local: "Property"))])
        let step = try Sample.configured(node)
        var context = RenderContext()
        context.properties.set("address", "http://h/", source: "test")
        #expect(try step.url.render(in: context).text == "http://h/")
        let error = #expect(throws: ConfigurationError.self) {
            try Sample.configured(node, scope: .service)
        }
        #expect(error?.description.contains("use !Secret or !Env") == true)
    }

    @Test func `the plugin's own check runs`() {
        let error = #expect(throws: ConfigurationError.self) {
            try Sample.configured(["url": "http://forbidden/"])
        }
        #expect(error?.diagnostics.map(\.message) == ["this address is forbidden"])
        #expect(throws: Never.self) {
            try Sample.configured(["url": "http://h/", "labels": ["a"], "verify": false])
        }
    }

    @Test func `plugins stand in settings`() throws {
        let announcer = try Announcer.configured(
            ["formatter": ["formatters.OneLine": "hello"]], registry: .sample())
        #expect((announcer.formatter as? OneLine)?.text == "hello")
        let bare = try Announcer.configured(["room": "#builds"])
        #expect(bare.formatter == nil)
        #expect(bare.room?.constant == "#builds")
    }
}
