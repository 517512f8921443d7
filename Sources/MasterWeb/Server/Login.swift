internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import NIOCore

/// `/auth`: logging in and out, for both pages.
extension WebSite {
    /// Whether users log in here, rather than at a proxy.
    var hasLogin: Bool {
        switch access.proof {
        case .passwords, .token: true
        case .none, .header: false
        }
    }

    /// Answers a request below `/auth`.
    func login(
        _ path: [String], _ request: WebRequest, _ visitor: WebVisitor
    ) throws -> Response {
        switch path {
        case ["login"] where hasLogin:
            if request.method == "POST" { return try logIn(request) }
            try requireMethod("GET", request)
            // Basic credentials have been checked with the request.
            if let user = visitor.user, request.headers[.authorization] != nil {
                return begin(user, then: request.query("redirect"))
            }
            return form(request.query("redirect") ?? origin(of: request), visitor)
        case ["logout"] where request.method == "POST":
            try requireToken(request, visitor)
            return end(visitor, then: home)
        case ["logout"]:
            try requireMethod("GET", request)
            // As Buildbot's own page does it. Others can at most make a user log in again.
            return end(visitor, then: access.prefix)
        default: throw .notFound as WebFault
        }
    }

    private func logIn(_ request: WebRequest) throws(WebFault) -> Response {
        func field(_ name: String) -> String {
            request.form.first { $0.name == name }?.value ?? ""
        }
        do {
            let user = try access.logIn(field("username"), field("password"), request, sessions)
            return begin(user, then: field("redirect"))
        } catch  where error.status == .unauthorized {
            return form(
                field("redirect"), WebVisitor(), name: field("username"),
                fault: hasNames ? "Wrong name or password." : "Wrong token.")
        }
    }

    private func begin(_ user: String, then target: String?) -> Response {
        // Always a new one, so that nobody can log another in with a known cookie.
        var response = Response.redirect(to: destination(target))
        response.headers[.setCookie] = access.cookie(access.begin(user, sessions))
        return response
    }

    private func end(_ visitor: WebVisitor, then target: String) -> Response {
        if let cookie = visitor.cookie { sessions.end(cookie) }
        // Whose live events these were is not known; the others come back.
        if access.isPrivate, visitor.user != nil {
            hub.endClients("a login has ended; connect again")
        }
        var response = Response.redirect(to: target)
        response.headers[.setCookie] = access.cookie(nil)
        return response
    }

    /// The page with the link or the button that has led a browser here.
    func origin(of request: WebRequest) -> String? {
        guard let page = request.headers[.referer],
            let start = page.firstRange(of: "://")?.upperBound,
            let path = page[start...].firstIndex(of: "/").map({ page[$0...] }),
            !path.hasPrefix(access.prefix + "auth/")
        else { return nil }
        return String(path)
    }

    /// Where a browser goes after the login: a path of this server, never another site.
    private func destination(_ target: String?) -> String {
        guard let target, !target.isEmpty else { return home }
        // What Buildbot's page asks for is a place within itself.
        if files != nil, !target.hasPrefix(home) {
            return access.prefix + "#" + (target.hasPrefix("/") ? target : "/" + target)
        }
        guard target.hasPrefix(home), !target.hasPrefix("//"), !target.contains("\\"),
            target.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else { return home }
        return target
    }

    private func form(
        _ target: String?, _ visitor: WebVisitor, name: String = "", fault: String? = nil
    ) -> Response {
        Page(site: self, visitor: visitor, title: "Log in").response(
            status: fault == nil ? .ok : .unauthorized
        ) { html in
            html.element(
                "form",
                [
                    "method": "post", "action": access.prefix + "auth/login", "class": "fields",
                ]
            ) { html in
                if let fault {
                    html.element("p", ["class": "fault", "role": "alert"], text: fault)
                }
                html.void(
                    "input", ["type": "hidden", "name": "redirect", "value": target ?? ""])
                if case .passwords = access.proof {
                    html.field("Name", "username", ["value": name, "autocomplete": "username"])
                }
                html.field(
                    hasNames ? "Password" : "Token", "password",
                    ["type": "password", "autocomplete": "current-password"])
                html.element("button", text: "Log in")
            }
        }
    }

    private var hasNames: Bool {
        if case .passwords = access.proof { true } else { false }
    }

    // MARK: Forms

    /// Checks that a form comes from one of our pages.
    ///
    /// - Throws: ``WebFault`` if it may come from another site.
    func requireToken(_ request: WebRequest, _ visitor: WebVisitor) throws(WebFault) {
        let token = request.form.first { $0.name == "token" }?.value ?? ""
        guard let cookie = visitor.cookie, sessions.isGenuine(token, for: cookie) else {
            throw WebFault(
                .forbidden, "the form is too old or comes from elsewhere; load its page again")
        }
    }
}

extension HTML {
    /// Adds a labelled text field.
    mutating func field(_ label: String, _ name: String, _ attributes: Attributes = [:]) {
        let id = "field-\(name)"
        element("label", ["for": id], text: label)
        void("input", ["id": id, "name": name, "required": ""], more: attributes)
    }
}

/// Pictures of users: initials, made here, so that no address is sent to another site.
enum Avatar {
    static func response(to request: WebRequest) -> Response {
        let name = request.query("email") ?? request.query("username") ?? ""
        let letter = name.first { $0.isLetter }.map { String($0).uppercased() } ?? "?"
        let hue = name.utf8.reduce(7) { ($0 * 31 + Int($1)) % 360 }
        var html = HTML()
        html.element(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 32 32", "width": "32",
                "height": "32",
            ]
        ) { html in
            html.element("rect", ["width": "32", "height": "32", "fill": "hsl(\(hue),45%,40%)"])
            html.element(
                "text",
                [
                    "x": "16", "y": "22", "text-anchor": "middle", "font-size": "18",
                    "font-family": "sans-serif", "fill": "#fff",
                ], text: letter)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "image/svg+xml", .cacheControl: "private, max-age=86400"],
            body: ResponseBody(byteBuffer: html.buffer))
    }
}
