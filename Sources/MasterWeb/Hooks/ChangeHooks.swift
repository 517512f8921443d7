internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import MasterKit
internal import MasterRuntime
internal import Synchronization

/// The change hooks of a configuration: requests by which services tell of changes.
///
/// They come from anywhere, so that neither their host nor their origin is checked; a request is
/// believed because of its signature or token.
struct ChangeHooks: Sendable {
    /// The most bytes of a body.
    static let bodyLimit = 25 << 20
    /// The most changes of one request.
    static let changeLimit = 1000

    /// A service whose requests are accepted.
    struct Dialect: Sendable {
        let name: String
        /// `nil` if anybody may send changes.
        let secret: String?
        let acceptsForks: Bool
        let codebase: String
        let pullRequestRef: String
    }

    private let dialects: [String: Dialect]
    private let master: Master
    private let budget: BodyBudget
    private let log: HookLog

    /// Takes the dialects from the settings.
    ///
    /// - Throws: If a secret can't be read.
    init(
        _ settings: ChangeHookSettings?, _ secrets: SecretValues, for master: Master,
        _ budget: BodyBudget, _ log: HookLog
    ) throws {
        let context = RenderContext(secrets: secrets)
        var dialects: [String: Dialect] = [:]
        for (name, settings) in settings?.dialects ?? [] {
            let secret = try settings.secret?.render(in: context)
            guard secret != "" else {
                throw MasterError(.plugin, "the secret of the change hook '\(name)' is empty")
            }
            dialects[name] = Dialect(
                name: name, secret: secret, acceptsForks: settings.forks,
                codebase: settings.codebase,
                pullRequestRef: (settings.pullRequestRef ?? .head).rawValue)
        }
        self.dialects = dialects
        self.master = master
        self.budget = budget
        self.log = log
    }

    /// Answers a request.
    ///
    /// - Throws: ``WebFault`` if it is not accepted, or `StoreError`.
    func response(
        to wanted: WebRequest, _ request: Request, within bodyTime: Duration
    ) async throws -> Response {
        do {
            return try await accept(wanted, request, within: bodyTime)
        } catch let fault as WebFault {
            let name = wanted.path.dropFirst().first { !$0.isEmpty } ?? ""
            log.note(fault, of: wanted, to: dialects[name]?.name)
            throw fault
        }
    }

    private func accept(
        _ wanted: WebRequest, _ request: Request, within bodyTime: Duration
    ) async throws -> Response {
        var wanted = wanted
        let names = wanted.path.dropFirst().filter { !$0.isEmpty }
        let name = names.first ?? "base"
        guard let dialect = dialects[name], names.count < 2 else {
            throw WebFault(
                .notFound,
                "there is no change hook '\(names.joined(separator: "/").prefix(60))'; add it to "
                    + "'change_hook_dialects' of 'www'", endsConnection: true)
        }
        guard wanted.method == "POST" else {
            throw WebFault(
                .methodNotAllowed, "a change hook takes POST only", headers: [.allow: "POST"],
                endsConnection: true)
        }
        if dialect.isUnsignedTest(wanted) {
            return .text(
                "no change found: Bitbucket Server does not sign its test of a connection; the "
                    + "signature of the next push will tell whether the secret is right\n")
        }
        try dialect.checkHeaders(of: wanted)
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= Self.bodyLimit else { throw WebFault.tooLarge(Self.bodyLimit) }
        let reservation = budget.reservation()
        defer { reservation.end() }
        if WebRequest.hasBody(request.head) {
            wanted.body = try await WebRequest.body(
                of: request, limit: Self.bodyLimit, within: bodyTime, noting: reservation.add)
        }
        try dialect.checkSignature(of: wanted)
        let outcome = try HookRequest(wanted, dialect).outcome()
        guard !outcome.changes.isEmpty else {
            return .text("no change found\(outcome.reason.map { ": \($0)" } ?? "")\n")
        }
        return try await add(outcome, of: wanted, by: dialect)
    }

    private func add(
        _ outcome: HookOutcome, of request: WebRequest, by dialect: Dialect
    ) async throws -> Response {
        let digest = outcome.isRepeatable ? nil : dialect.digest(of: request)
        let added: HookChanges
        do {
            added = try await master.addChanges(
                Array(outcome.changes.suffix(Self.changeLimit)), ofHookRequest: digest)
        } catch let error as StoreError {
            throw error
        } catch {
            throw WebFault(.unprocessableContent, "\(error)")
        }
        switch added {
        case .known(let ids):
            let changes = ids.map(String.init).joined(separator: ", ")
            return .text(
                "no change found: this request was received before, as change \(changes)\n")
        case .added(let ids):
            var text = "\(ids.count) \(ids.count == 1 ? "change" : "changes") found"
            let left = outcome.changes.count - ids.count
            if left > 0 { text += "; \(left) older ones were left out" }
            return .text(text + "\n")
        }
    }
}

extension ChangeHooks.Dialect {
    /// Whether a request is a test that Bitbucket Server sends without a signature.
    fileprivate func isUnsignedTest(_ request: WebRequest) -> Bool {
        name == "bitbucketserver" && request.header("X-Event-Key") == "diagnostics:ping"
            && request.header(signatureHeader) == nil
    }

    /// Checks what can be checked before a body is read.
    fileprivate func checkHeaders(of request: WebRequest) throws(WebFault) {
        let coding = request.header("Content-Encoding")?.lowercased() ?? "identity"
        guard coding == "identity" else {
            throw WebFault(
                .unsupportedMediaType,
                "the body has the encoding '\(coding.prefix(60))'; send it without "
                    + "Content-Encoding", endsConnection: true)
        }
        guard let secret else { return }
        switch name {
        case "base":
            let words = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[0].lowercased() == "bearer",
                WebSessions.isSame(String(words[1]), secret)
            else {
                throw WebFault(
                    .unauthorized,
                    "the request needs the header 'Authorization: Bearer' with the hook's secret",
                    headers: [.wwwAuthenticate: "Bearer"], endsConnection: true)
            }
        case "gitlab":
            guard let token = request.header("X-Gitlab-Token") else {
                throw refusal("the request has no header 'X-Gitlab-Token'; set the secret token")
            }
            guard WebSessions.isSame(token, secret) else { throw refusal("wrong secret token") }
        default:
            if signature(of: request) == nil {
                throw refusal(
                    "the request has no signature '\(signatureHeader)'; set the hook's secret")
            }
        }
    }

    /// Checks the signature of the body, for services that sign it.
    fileprivate func checkSignature(of request: WebRequest) throws(WebFault) {
        guard let secret, name != "base", name != "gitlab" else { return }
        guard let given = signature(of: request),
            HMAC<SHA256>.isValidAuthenticationCode(
                given, authenticating: signed(of: request),
                using: SymmetricKey(data: Array(secret.utf8)))
        else { throw refusal("wrong signature; the hook's secret is another one") }
    }

    /// What the service has signed, if it signs: the body, or of Gitea's forms the payload.
    private func signed(of request: WebRequest) -> [UInt8] {
        guard name == "gitea", let payload = request.form.first, payload.name == "payload" else {
            return request.body
        }
        return Array(payload.value.utf8)
    }

    private func refusal(_ message: String) -> WebFault {
        WebFault(.forbidden, message, endsConnection: true)
    }

    private var signatureHeader: String {
        switch name {
        case "github": "X-Hub-Signature-256"
        case "gitea": "X-Gitea-Signature"
        default: "X-Hub-Signature"
        }
    }

    /// The bytes of the signature in the headers; `nil` if there is none of SHA-256.
    private func signature(of request: WebRequest) -> [UInt8]? {
        guard var text = request.header(signatureHeader)?[...] else { return nil }
        if name != "gitea" {
            guard text.hasPrefix("sha256=") else { return nil }
            text = text.dropFirst(7)
        }
        let digits = Array(text.utf8)
        guard digits.count == 64, text.allSatisfy(\.isHexDigit) else { return nil }
        return stride(from: 0, to: 64, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
        }
    }

    /// What tells a request from others: what is signed is the same if it is sent again, even in
    /// another encoding.
    fileprivate func digest(of request: WebRequest) -> String {
        var hash = SHA256()
        hash.update(data: Array("\(name)\n".utf8))
        hash.update(data: signed(of: request))
        // Only where nothing is signed: a stranger could send the same again to another address.
        if name == "base" {
            for item in request.query {
                hash.update(data: Array("&\(item.name)=\(item.value)".utf8))
            }
        }
        return Data(hash.finalize()).base64EncodedString()
    }
}

/// Logs requests that are refused, one of each hook within a minute: anybody can send them.
final class HookLog: Sendable {
    private let logger: Logger
    /// When the last request to a hook was logged, by its name; that of unknown ones is empty.
    private let times = Mutex<[String: ContinuousClock.Instant]>([:])

    init(_ logger: Logger) {
        self.logger = logger
    }

    func note(_ fault: WebFault, of request: WebRequest, to name: String?) {
        let now = ContinuousClock.now
        let isFirst = times.withLock { times in
            if let last = times[name ?? ""], now - last < .seconds(60) { return false }
            times[name ?? ""] = now
            return true
        }
        guard isFirst else { return }
        let path = request.path.joined(separator: "/").prefix(60)
        logger.warning("refused a request from \(request.client) to /\(path): \(fault.message)")
    }
}

/// Bounds the memory for large bodies that arrive at the same time.
///
/// Bytes count when they are here, not when they are announced: anybody can announce them. Small
/// bodies don't count, so that large ones of strangers do not keep them out.
final class BodyBudget: Sendable {
    private let rest = Mutex(96 << 20)

    /// What one body takes.
    final class Reservation: Sendable {
        private let budget: BodyBudget
        private let size = Mutex(0)

        fileprivate init(_ budget: BodyBudget) {
            self.budget = budget
        }

        /// Notes bytes that have arrived.
        ///
        /// - Throws: ``WebFault`` if there is no memory for them.
        func add(_ count: Int) throws(WebFault) {
            let isAdded = size.withLock { size in
                let wanted = Self.counted(size + count) - Self.counted(size)
                guard budget.take(wanted) else { return false }
                size += count
                return true
            }
            guard isAdded else {
                throw WebFault(
                    .serviceUnavailable,
                    "too many large requests at the same time; try again later",
                    headers: [.retryAfter: "10"], endsConnection: true)
            }
        }

        /// Gives everything back.
        func end() { size.withLock { budget.giveBack(Self.counted($0)) } }

        private static func counted(_ size: Int) -> Int { max(0, size - WebRequest.bodyLimit) }
    }

    func reservation() -> Reservation { Reservation(self) }

    private func take(_ count: Int) -> Bool {
        rest.withLock { rest in
            guard count <= rest else { return false }
            rest -= count
            return true
        }
    }

    private func giveBack(_ count: Int) { rest.withLock { $0 += count } }
}
