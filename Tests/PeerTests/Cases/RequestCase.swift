import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// A request, once as the settings of a step and once as keywords of `requests`.
struct RequestCase: Sendable, CustomTestStringConvertible {
    /// What the case is about, in words.
    let name: String
    /// The kind of step.
    let step: any Step.Type
    /// The address, in which `SERVER` stands for the server's.
    var url = "SERVER/anything"
    /// The settings but the address, as YAML.
    let settings: String
    /// The same as arguments in Python.
    let keywords: String
    /// How what is sent differs, for reasons of our own.
    var differences: [Difference] = []
    /// What the server does with a request, unless it says ok to all.
    var answer: LoopbackServer.Handler?

    var testDescription: String { name }

    /// What the server does with a request.
    var handler: LoopbackServer.Handler { answer ?? { _ in .text("ok\n") } }

    /// The method that Python is told.
    var method: String { step.pluginName }

    /// A POST of some settings and some keywords.
    static func post(
        _ name: String, _ settings: String, _ keywords: String, _ differences: Difference...
    ) -> RequestCase {
        RequestCase(
            name: name, step: POST.self, settings: settings, keywords: keywords,
            differences: differences)
    }

    /// A GET of some settings and some keywords.
    static func get(
        _ name: String, _ settings: String, _ keywords: String, _ differences: Difference...
    ) -> RequestCase {
        RequestCase(
            name: name, step: GET.self, settings: settings, keywords: keywords,
            differences: differences)
    }

    /// A GET of an address alone.
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
