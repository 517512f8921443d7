import StandardPlugins

extension RequestCase {
    /// `headers` and `cookies`.
    static let headers: [RequestCase] = [
        .get(
            "headers", "headers: {X-Token: t0k3n, Accept: application/json}",
            "headers={'X-Token': 't0k3n', 'Accept': 'application/json'}"),
        .get(
            "headers, null removes a default",
            "headers: {User-Agent: null, Accept: null, Accept-Encoding: null}",
            "headers={'User-Agent': None, 'Accept': None, 'Accept-Encoding': None}",
            .defaultsSetToNull),
        .get(
            "headers, in another case", "headers: {user-agent: own, ACCEPT: text/plain}",
            "headers={'user-agent': 'own', 'ACCEPT': 'text/plain'}"),
        .get("headers, an empty value", "headers: {X-Empty: ''}", "headers={'X-Empty': ''}"),
        .get(
            "headers, a host", "headers: {Host: example.test}", "headers={'Host': 'example.test'}"),
        .get(
            "headers, a connection to close", "headers: {Connection: close}",
            "headers={'Connection': 'close'}"),
        .post(
            "headers, null removes the type of a form",
            "{data: {a: 1}, headers: {Content-Type: null}}",
            "data={'a': 1}, headers={'Content-Type': None}", .typeSetToNull),
        .get("cookies", "cookies: {c1: v1, c2: v2}", "cookies={'c1': 'v1', 'c2': 'v2'}"),
        .get(
            "cookies, values with signs", #"cookies: {a: "x=y+z/%20"}"#,
            "cookies={'a': 'x=y+z/%20'}"),
        .get(
            "cookies beside a header", "{cookies: {a: 1}, headers: {Cookie: own=2}}",
            "cookies={'a': '1'}, headers={'Cookie': 'own=2'}"),
        .get(
            "cookies, null is dropped", "cookies: {a: null, b: x}", "cookies={'a': None, 'b': 'x'}",
            .nullCookie),
    ]
}
