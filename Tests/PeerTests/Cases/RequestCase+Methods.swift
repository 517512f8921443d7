import MasterKit
import StandardPlugins

extension RequestCase {
    /// Each method without a body, and the keywords that do not change what is sent.
    static let methods: [RequestCase] =
        [
            plain(GET.self), plain(POST.self), plain(PUT.self), plain(PATCH.self),
            plain(HEAD.self), plain(DELETE.self, .lengthOfNothing),
            plain(OPTIONS.self, .lengthOfNothing),
        ] + [
            .get("stream", "stream: true", "stream=True"),
            .get("timeout", "timeout: 5", "timeout=5"),
            .get("timeout, a pair", "timeout: [3, 5]", "timeout=(3, 5)"),
            .get("verify and cert of plain HTTP", "verify: false", "verify=False"),
            RequestCase(
                name: "proxies", step: GET.self, url: "http://example.test/a/b?c=d",
                settings: "{params: {e: f}, proxies: {http: SERVER}}",
                keywords: "params={'e': 'f'}, proxies={'http': 'SERVER'}",
                differences: [.proxyConnection]),
            RequestCase(
                name: "proxies by host", step: POST.self, url: "http://example.test:81/",
                settings: "{data: {a: 1}, proxies: {'http://example.test': SERVER}}",
                keywords: "data={'a': 1}, proxies={'http://example.test': 'SERVER'}",
                differences: [.proxyConnection]),
            RequestCase(
                name: "proxies with a user", step: GET.self, url: "http://example.test/",
                settings: "proxies: {all: 'http://us:pa%40ss@HOST'}",
                keywords: "proxies={'all': 'http://us:pa%40ss@HOST'}",
                differences: [.proxyConnection]),
        ]

    private static func plain(_ step: any Step.Type, _ differences: Difference...) -> RequestCase {
        RequestCase(
            name: "a plain \(step.pluginName)", step: step, settings: "", keywords: "",
            differences: differences)
    }
}
