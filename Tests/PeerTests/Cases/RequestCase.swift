import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// A request, as the settings of a step and as keywords of `requests`.
struct RequestCase: Sendable, CustomTestStringConvertible {
    /// The description of the case.
    let name: String
    /// The kind of step.
    let step: any Step.Type
    /// The URL; `SERVER` in it stands for the server's.
    var url = "SERVER/anything"
    /// The settings except the URL, as YAML.
    let settings: String
    /// The same as Python arguments.
    let keywords: String
    /// The intentional differences in what is sent.
    var differences: [Difference] = []
    /// The server's behavior, unless it responds ok to everything.
    var answer: LoopbackServer.Handler?

    var testDescription: String { name }

    /// The server's behavior.
    var handler: LoopbackServer.Handler { answer ?? { _ in .text("ok\n") } }

    /// The method for Python.
    var method: String { step.pluginName }

    /// A POST with settings and keywords.
    static func post(
        _ name: String, _ settings: String, _ keywords: String, _ differences: Difference...
    ) -> RequestCase {
        RequestCase(
            name: name, step: POST.self, settings: settings, keywords: keywords,
            differences: differences)
    }

    /// A GET with settings and keywords.
    static func get(
        _ name: String, _ settings: String, _ keywords: String, _ differences: Difference...
    ) -> RequestCase {
        RequestCase(
            name: name, step: GET.self, settings: settings, keywords: keywords,
            differences: differences)
    }

    /// A GET with only a URL.
    static func address(_ name: String, _ url: String, _ differences: Difference...) -> RequestCase
    {
        RequestCase(
            name: name, step: GET.self, url: url, settings: "", keywords: "",
            differences: differences)
    }

    /// All cases.
    static var all: [RequestCase] {
        queries + bodies + files + headers + credentials + methods + redirects
    }
}
