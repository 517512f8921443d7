import MasterKit
import MasterTesting
import StandardPlugins

extension RequestCase {
    /// Each redirecting status with each method, and what is sent to the new location.
    static let redirects: [RequestCase] =
        [301, 302, 303, 307, 308].flatMap { status in
            let moved: [Difference] = status == 301 ? [.movedBody] : []
            return [
                redirect(status, GET.self, "", ""),
                redirect(status, HEAD.self, "", ""),
                redirect(status, DELETE.self, "", "", [.lengthOfNothing]),
                redirect(status, POST.self, "data: {k: v}", "data={'k': 'v'}"),
                redirect(status, PUT.self, "json: {k: v}", "json={'k': 'v'}", moved),
                redirect(status, PATCH.self, "data: text", "data='text'", moved),
            ]
        } + [
            redirect(
                302, POST.self, "{data: {k: v}, allow_redirects: false}",
                "data={'k': 'v'}, allow_redirects=False"),
            redirect(302, GET.self, "{params: {a: 1}}", "params={'a': 1}"),
            redirect(
                302, GET.self, "{headers: {X-A: b}, cookies: {c: d}, auth: [u, p]}",
                "headers={'X-A': 'b'}, cookies={'c': 'd'}, auth=('u', 'p')"),
            redirect(
                307, POST.self, "{files: {f: abc}, data: {k: v}}",
                "files={'f': 'abc'}, data={'k': 'v'}"),
            RequestCase(
                name: "a cookie that is set on the way", step: GET.self, settings: "",
                keywords: "",
                answer: { request in
                    guard request.path == "/anything" else { return .text("landed\n") }
                    return .respond(
                        status: 302,
                        headers: [("Location", "/landed"), ("Set-Cookie", "sid=s1; Path=/")])
                }),
            RequestCase(
                name: "a redirect to another host", step: GET.self,
                settings: "{headers: {X-A: b}, cookies: {c: d}, auth: [u, p]}",
                keywords: "headers={'X-A': 'b'}, cookies={'c': 'd'}, auth=('u', 'p')",
                differences: [.cookiesElsewhere],
                answer: { request in
                    guard request.path == "/anything" else { return .text("landed\n") }
                    let port = request.header("Host")?.split(separator: ":").last ?? ""
                    return .redirect(to: "http://localhost:\(port)/landed")
                }),
            RequestCase(
                name: "a redirect to an address that is not escaped", step: GET.self,
                settings: "", keywords: "", differences: [.caseOfEscapes, .spacesInRedirects],
                answer: { request in
                    request.path == "/anything"
                        ? .redirect(to: "/landed/é?ü=a b") : .text("landed\n")
                }),
            RequestCase(
                name: "a redirect with a fragment", step: GET.self,
                url: "SERVER/anything#part", settings: "", keywords: "",
                answer: { request in
                    request.path == "/anything"
                        ? .redirect(to: "landed?a=b#other") : .text("landed\n")
                }),
        ]

    private static func redirect(
        _ status: Int, _ step: any Step.Type, _ settings: String, _ keywords: String,
        _ differences: [Difference] = []
    ) -> RequestCase {
        let what = settings.isEmpty ? "" : " with \(settings)"
        return RequestCase(
            name: "\(status) after a \(step.pluginName)\(what)", step: step, settings: settings,
            keywords: keywords, differences: differences
        ) { request in
            request.path == "/anything" ? .redirect(status, to: "/landed") : .text("landed\n")
        }
    }
}
