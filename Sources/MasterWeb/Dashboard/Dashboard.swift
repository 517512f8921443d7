internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime
internal import NIOCore

/// The pages for people, rendered from the data API; they can be read without JavaScript.
struct Dashboard: Sendable {
    /// The most rows of a table.
    static let rowLimit = 50

    let site: WebSite
    let request: WebRequest
    var visitor: WebVisitor
    /// Whether the visitor gets a cookie with the page.
    private var isNew = false

    init(site: WebSite, request: WebRequest, visitor: WebVisitor) {
        self.site = site
        self.request = request
        self.visitor = visitor
        // Its value is what the tokens of the forms are made from.
        if visitor.cookie == nil, visitor.controlRefusal == nil {
            self.visitor.cookie = WebSessions.newID()
            isNew = true
        }
    }

    /// Whether the visitor may start and stop builds.
    var mayControl: Bool { visitor.controlRefusal == nil }

    /// Answers a request for a path below the dashboard's.
    func response(to path: [String]) async throws -> Response {
        if let asset = DashboardAsset(path) {
            try site.requireMethod("GET", request)
            return asset.response
        }
        if visitor.readRefusal != nil {
            guard site.hasLogin, request.wantsPage else {
                throw WebFault(.forbidden, visitor.readRefusal ?? "")
            }
            let target = pageToReturnTo(path).percentEncoded
            return .redirect(to: site.access.prefix + "auth/login?redirect=" + target)
        }
        if request.method == "POST" {
            do {
                if let refusal = visitor.controlRefusal { throw WebFault(.forbidden, refusal) }
                try site.requireToken(request, visitor)
            } catch let fault as WebFault {
                return withCookie(try await page(path, afterRefusal: fault))
            }
            return try await act(path)
        }
        try site.requireMethod("GET", request)
        return withCookie(try await page(path))
    }

    /// The page to show after a login: the one that was asked for, or the one with the button.
    private func pageToReturnTo(_ path: [String]) -> String {
        guard request.method == "GET" else { return site.origin(of: request) ?? site.home }
        let query = request.query.map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }
        return site.home + path.map(\.percentEncoded).joined(separator: "/")
            + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    private func withCookie(_ response: Response) -> Response {
        var response = response
        if isNew, let cookie = visitor.cookie {
            response.headers[.setCookie] = site.access.cookie(cookie)
        }
        return response
    }

    /// The form once more that was sent too late, with what was typed.
    ///
    /// - Throws: The refusal if it was not such a form.
    private func page(_ path: [String], afterRefusal fault: WebFault) async throws -> Response {
        let canLogIn = visitor.user == nil && site.hasLogin
        guard path.count == 2, path[0] == "force", mayControl || canLogIn else { throw fault }
        let words =
            mayControl
            ? "This form is too old or comes from elsewhere. Look at it, and send it again."
            : "You are not logged in any more. Log in in another tab, then send this form again."
        return try await forcePage(
            path[1], sent: request.form, general: words, status: fault.status)
    }

    private func page(_ path: [String]) async throws -> Response {
        switch (path.count, path[0]) {
        case (1, ""): return try await homePage()
        case (1, "requests"): return try await requestsPage()
        case (1, "workers"): return try await workersPage()
        case (1, "changes"): return try await changesPage()
        case (1, "schedulers"): return try await schedulersPage()
        case (1, "deliveries"): return try await deliveriesPage()
        case (2, "changes"): return try await changePage(try number(path[1]))
        case (2, "builders"): return try await builderPage(try number(path[1]))
        case (2, "builds"): return .redirect(to: try await address(ofBuild: try number(path[1])))
        case (2, "requests"):
            return .redirect(to: try await address(ofRequest: try number(path[1])))
        case (2, "force"): return try await forcePage(path[1])
        case (4, "builders") where path[2] == "builds":
            return try await buildPage(try number(path[1]), try number(path[3]))
        case (2, "logs"): return try await logPage(try number(path[1]))
        default: return .redirect(to: try await address(ofPlace: path))
        }
    }

    /// The page for what has another path on Buildbot's own page, as in the addresses of reports.
    private func address(ofPlace path: [String]) async throws -> String {
        switch (path.count, path[0]) {
        case (1, "builders"): return site.home
        case (1, "pendingbuildrequests"): return site.home + "requests"
        case (2, "buildrequests"): return try await address(ofRequest: try number(path[1]))
        case (5..., "builders") where path[2] == "builds" && path[4] == "steps":
            guard path.count == 8, path[6] == "logs" else {
                return address(builder: try number(path[1]))
                    + "/builds/\(try number(path[3]))"
            }
            return site.home + "logs/\(try await record(path).int("logid"))"
        default: throw WebFault.notFound
        }
    }

    private func number(_ text: String) throws(WebFault) -> Int {
        guard let number = Int(text), number >= 0 else { throw .notFound }
        return number
    }

    // MARK: Actions

    private func act(_ path: [String]) async throws -> Response {
        switch (path.count, path[0], path.last) {
        case (3, "builds", "stop"?):
            let id = try number(path[1])
            _ = try await call(["builds", path[1]], "stop", ["reason": "stopped on the web page"])
            return .redirect(to: try await address(ofBuild: id))
        case (3, "builds", "rebuild"?):
            _ = try number(path[1])
            let result = try await call(["builds", path[1]], "rebuild", [:])
            return try await follow(result)
        case (3, "requests", "cancel"?):
            _ = try number(path[1])
            _ = try await call(
                ["buildrequests", path[1]], "cancel", ["reason": "cancelled on the web page"])
            return .redirect(to: site.home + "requests")
        case (3, "workers", "pause"?), (3, "workers", "unpause"?):
            _ = try number(path[1])
            let user = visitor.user.map { " by \($0)" } ?? ""
            _ = try await call(
                ["workers", path[1]], path[2], ["reason": .string("on the web page" + user)])
            return .redirect(to: site.home + "workers")
        case (3, "schedulers", "enable"?), (3, "schedulers", "disable"?):
            _ = try number(path[1])
            _ = try await call(
                ["schedulers", path[1]], "enable", ["enabled": .bool(path[2] == "enable")])
            return .redirect(to: site.home + "schedulers")
        case (3, "deliveries", "retry"?), (3, "deliveries", "drop"?):
            try await change(delivery: try number(path[1]), drops: path[2] == "drop")
            return .redirect(to: site.home + "deliveries")
        case (3, "deliveries", "resume"?):
            try await resume(reporter: path[1])
            return .redirect(to: site.home + "deliveries")
        case (2, "force", _): return try await force(path[1])
        default: throw WebFault.notFound
        }
    }

    /// Where a browser goes once builds have been requested.
    func follow(_ result: JSONValue) async throws -> Response {
        let requests = result[1]?.objectValue?.compactMap { $0.value.intValue } ?? []
        guard requests.count == 1 else { return .redirect(to: site.home) }
        return .redirect(to: try await address(ofRequest: requests[0]))
    }

    /// Calls a control action of the data API.
    ///
    /// - Throws: ``WebFault`` with its message if it is refused.
    func call(
        _ path: [String], _ method: String, _ parameters: JSONObject
    ) async throws -> JSONValue {
        let body: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(parameters),
        ]
        let answer = await site.api.answer(
            DataRequest(
                "POST", path, contentType: "application/json",
                body: JSONWriter.compact.bytes(body),
                sender: DataSender(name: visitor.user ?? "anonymous")))
        guard case .bytes(let bytes) = answer.body else { return .null }
        let value = try JSONValue(parsing: bytes)
        if let fault = value["error"] {
            throw CallFault(status: answer.status, message: fault["message"] ?? fault)
        }
        return value["result"] ?? .null
    }

    // MARK: Records

    /// Reads records of the data API.
    ///
    /// - Returns: The records, or `nil` if the path names one that does not exist.
    func records(
        _ path: [String], _ query: KeyValuePairs<String, String> = [:]
    ) async throws -> [JSONObject]? {
        try await records(path, query.map { ($0.key, $0.value) })
    }

    func records(
        _ path: [String], _ query: [(String, String)]
    ) async throws -> [JSONObject]? {
        do {
            return try await site.api.records(path, query)
        } catch {
            throw WebFault(error)
        }
    }

    /// Reads the logs of all steps of a build.
    func logs(ofBuild id: Int) async throws -> [JSONObject] {
        do {
            return try await site.api.logs(ofBuild: id)
        } catch {
            throw WebFault(error)
        }
    }

    /// Reads one record.
    ///
    /// - Throws: ``WebFault`` if it does not exist.
    func record(
        _ path: [String], _ query: KeyValuePairs<String, String> = [:]
    ) async throws -> JSONObject {
        guard let record = try await records(path, query)?.first else { throw WebFault.notFound }
        return record
    }

    // MARK: Addresses

    func address(builder: Int) -> String { site.home + "builders/\(builder)" }

    func address(of build: JSONObject) -> String {
        address(builder: build.int("builderid")) + "/builds/\(build.int("number"))"
    }

    private func address(ofBuild id: Int) async throws -> String {
        address(of: try await record(["builds", "\(id)"]))
    }

    /// The last build of a request, or its builder before there is one.
    private func address(ofRequest id: Int) async throws -> String {
        let builds = try await records(
            ["buildrequests", "\(id)", "builds"], ["order": "-buildid", "limit": "1"])
        if let build = builds?.first { return address(of: build) }
        let request = try await record(["buildrequests", "\(id)"])
        return address(builder: request.int("builderid"))
    }
}

extension WebFault {
    /// Records that can't be read, although the request for them is right.
    fileprivate init(_ error: DataError) {
        self.init(.internalServerError, error.message)
    }
}

/// An action that the data API has refused.
struct CallFault: Error {
    let status: Int
    /// A text, or texts by the names of parameters.
    let message: JSONValue
}

extension JSONObject {
    func int(_ key: String) -> Int { self[key]?.intValue ?? 0 }

    func string(_ key: String) -> String { self[key]?.stringValue ?? "" }

    var results: Results? { self["results"]?.intValue.flatMap { Results(rawValue: $0) } }

    /// Whether a build or step has begun, but not ended.
    var isRunning: Bool {
        self["complete"] != true && self["started_at"].map { !$0.isNull } ?? false
    }
}
