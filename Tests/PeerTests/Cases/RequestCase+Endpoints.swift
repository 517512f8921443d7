import MasterKit
import StandardPlugins

extension RequestCase {
    /// The endpoints of `httpbin` other than its mirror.
    static let endpoints: [RequestCase] = pages + statuses

    private static let statuses: [RequestCase] =
        [200, 204, 304, 400, 404, 418, 429, 500, 503].map { endpoint("status/\($0)", "", "") }
        + otherMethods.map { step in
            RequestCase(
                name: "\(step.pluginName) status/404", step: step, url: "HTTPBIN/status/404",
                settings: "", keywords: "")
        }

    private static let otherMethods: [any Step.Type] = [
        HEAD.self, POST.self, PUT.self, PATCH.self, DELETE.self,
    ]

    private static let pages: [RequestCase] = [
        endpoint("basic-auth/user/pass", "auth: [user, pass]", "auth=('user', 'pass')"),
        endpoint("basic-auth/user/pass", "auth: [user, no]", "auth=('user', 'no')"),
        endpoint("hidden-basic-auth/user/pass", "", ""),
        endpoint(
            "digest-auth/auth/user/pass", "auth: {digest: [user, pass]}",
            "auth=HTTPDigestAuth('user', 'pass')", .digestChallenge),
        endpoint(
            "digest-auth/auth/user/pass/SHA-256", "auth: {digest: [user, pass]}",
            "auth=HTTPDigestAuth('user', 'pass')", .digestChallenge),
        endpoint(
            "digest-auth/auth/user/pass", "auth: {digest: [user, no]}",
            "auth=HTTPDigestAuth('user', 'no')", .digestChallenge),
        endpoint("bearer", "auth: {bearer: abc}", "auth=Bearer('abc')"),
        endpoint("bearer", "", ""),
        endpoint("redirect/3", "", ""),
        endpoint("redirect/30", "", ""),
        endpoint("redirect/31", "", ""),
        endpoint("redirect/3", "max_redirects: 3", "max_redirects=3"),
        endpoint("redirect/3", "max_redirects: 2", "max_redirects=2"),
        endpoint("relative-redirect/2", "", ""),
        endpoint("absolute-redirect/2", "", ""),
        endpoint("redirect/2", "allow_redirects: false", "allow_redirects=False"),
        endpoint(
            "redirect-to", "params: {url: /anything, status_code: 308}",
            "params={'url': '/anything', 'status_code': 308}"),
        endpoint("cookies", "cookies: {a: '1', b: x}", "cookies={'a': '1', 'b': 'x'}"),
        endpoint("cookies/set?a=1&b=2", "", ""),
        endpoint("cookies/delete?a", "cookies: {b: x}", "cookies={'b': 'x'}"),
        endpoint("gzip", "", ""),
        endpoint("deflate", "", ""),
        endpoint("brotli", "", ""),
        endpoint("encoding/utf8", "", ""),
        endpoint("stream/5", "", ""),
        endpoint("stream/5", "stream: true", "stream=True"),
        endpoint("range/100?chunk_size=7", "", ""),
        endpoint("range/26", "headers: {Range: bytes=3-7}", "headers={'Range': 'bytes=3-7'}"),
        endpoint("drip?numbytes=5&duration=0.1", "", ""),
        endpoint("delay/0.1", "timeout: 5", "timeout=5"),
        endpoint("delay/5", "timeout: 0.2", "timeout=0.2"),
        endpoint("json", "", ""),
        endpoint("xml", "", ""),
        endpoint("user-agent", "headers: {User-Agent: own}", "headers={'User-Agent': 'own'}"),
        endpoint("etag/abc", "headers: {If-None-Match: abc}", "headers={'If-None-Match': 'abc'}"),
        endpoint("response-headers?X-A=b&X-A=c", "", ""),
        RequestCase(
            name: "a form after a redirect", step: POST.self,
            url: "HTTPBIN/redirect-to?url=/anything&status_code=307",
            settings: "data: {a: é}", keywords: "data={'a': 'é'}"),
    ]

    private static func endpoint(
        _ path: String, _ settings: String, _ keywords: String, _ differences: Difference...
    ) -> RequestCase {
        RequestCase(
            name: "\(path) \(settings)", step: GET.self, url: "HTTPBIN/\(path)",
            settings: settings, keywords: keywords, differences: differences)
    }
}
