internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import NIOCore

/// Builds HTML, in which every text is escaped.
///
/// Names of elements and attributes can only be constants of the program; nothing adds markup that
/// comes from elsewhere.
struct HTML: Sendable {
    private var bytes: [UInt8] = []

    /// Names and values; those without a value are left out.
    typealias Attributes = KeyValuePairs<StaticString, String?>

    /// The document.
    var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

    /// The size so far in bytes.
    var count: Int { bytes.count }

    /// Adds a text.
    mutating func text(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Adds an element; an attribute without a value is left out.
    mutating func element(
        _ name: StaticString, _ attributes: Attributes = [:],
        _ content: (inout HTML) -> Void = { _ in }
    ) {
        open(name, attributes)
        content(&self)
        bytes += Array("</\(name)>".utf8)
    }

    /// Adds an element that holds a text only.
    mutating func element(
        _ name: StaticString, _ attributes: Attributes = [:], text: String
    ) {
        element(name, attributes) { $0.text(text) }
    }

    /// Adds an element without content, such as `input`.
    mutating func void(
        _ name: StaticString, _ attributes: Attributes = [:], more: Attributes = [:]
    ) {
        open(name, attributes, more)
    }

    /// Adds a paragraph with the text of a message, as a sentence.
    mutating func sentence(_ message: String) {
        guard let first = message.first else { return }
        element("p", text: first.uppercased() + message.dropFirst() + ".")
    }

    /// Adds a link within the dashboard.
    mutating func link(_ path: String, _ text: String, _ kind: String? = nil) {
        element("a", ["href": path, "class": kind], text: text)
    }

    /// Adds a link to another site, or only its text if it is not an address of the web.
    mutating func link(elsewhere address: String, _ text: String) {
        let scheme = address.prefix { $0 != ":" }.lowercased()
        guard ["http", "https"].contains(scheme), address.contains("://") else {
            self.text(text)
            return
        }
        element("a", ["href": address, "rel": "noreferrer noopener"], text: text)
    }

    fileprivate mutating func begin() { bytes += Array("<!DOCTYPE html>\n".utf8) }

    private mutating func open(
        _ name: StaticString, _ attributes: Attributes, _ more: Attributes = [:]
    ) {
        bytes += Array("<\(name)".utf8)
        for (name, value) in Array(attributes) + Array(more) {
            guard let value else { continue }
            bytes += Array(" \(name)=\"".utf8)
            text(value)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func append(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): bytes += Array("&amp;".utf8)
        case UInt8(ascii: "<"): bytes += Array("&lt;".utf8)
        case UInt8(ascii: ">"): bytes += Array("&gt;".utf8)
        case UInt8(ascii: "\""): bytes += Array("&quot;".utf8)
        case UInt8(ascii: "'"): bytes += Array("&#39;".utf8)
        // Characters that HTML does not have.
        case 0..<9, 11, 12, 14..<32, 127: bytes += Array("\u{FFFD}".utf8)
        default: bytes.append(byte)
        }
    }
}

/// A page of the dashboard: what all have in common.
struct Page: Sendable {
    let site: WebSite
    let visitor: WebVisitor
    let title: String
    /// The paths of events after which the page is loaded again.
    var live: [String] = []
    /// The page in the navigation that this one belongs to.
    var section = ""

    static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        + "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    private static let sections = [
        ("", "Builders"), ("requests", "Pending"), ("workers", "Workers"), ("changes", "Changes"),
        ("schedulers", "Schedulers"), ("deliveries", "Deliveries"),
    ]

    /// The page with its content.
    func response(
        status: HTTPTypes.HTTPResponse.Status = .ok, _ content: (inout HTML) -> Void
    ) -> Response {
        var html = HTML()
        html.begin()
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { head(&$0) }
            html.element(
                "body",
                [
                    "data-socket": site.access.prefix + "ws",
                    "data-api": site.access.prefix + "api/v2/",
                    "data-live": live.isEmpty ? nil : live.joined(separator: " "),
                ]
            ) { html in
                html.element("a", ["class": "skip", "href": "#main"], text: "Skip to content")
                html.element("header") { header(&$0) }
                html.element("main", ["id": "main", "tabindex": "-1"]) { html in
                    html.element("h1", text: title)
                    content(&html)
                }
                html.element("footer") { html in
                    html.element("span", text: "Buildmaster \(site.version)")
                    html.element("span", ["id": "live", "role": "status"])
                }
            }
        }
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: Self.policy,
                .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: html.buffer))
    }

    private func head(_ html: inout HTML) {
        html.void("meta", ["charset": "utf-8"])
        html.void(
            "meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        html.void("meta", ["name": "color-scheme", "content": "light dark"])
        html.element("title", text: "\(title) – \(site.title)")
        html.void("link", ["rel": "icon", "href": site.home + "icon.svg"])
        html.void("link", ["rel": "stylesheet", "href": DashboardAsset.style.address(site)])
        html.element("script", ["src": DashboardAsset.script.address(site), "defer": ""])
    }

    private func header(_ html: inout HTML) {
        html.element("a", ["class": "brand", "href": site.home], text: site.title)
        html.element("nav", ["aria-label": "Main"]) { html in
            for (path, name) in Self.sections {
                html.element(
                    "a",
                    [
                        "href": site.home + path,
                        "aria-current": path == section ? "page" : nil,
                    ], text: name)
            }
        }
        guard let user = visitor.user else {
            if site.hasLogin {
                html.link(site.access.prefix + "auth/login", "Log in", "user")
            }
            return
        }
        html.element("form", ["class": "user", "method": "post", "action": logoutAddress]) {
            $0.element("span", text: user)
            if site.hasLogin {
                $0.token(of: visitor, site)
                $0.element("button", text: "Log out")
            }
        }
    }

    private var logoutAddress: String { site.access.prefix + "auth/logout" }
}

extension HTML {
    /// Adds the field that proves that a form comes from one of our pages.
    mutating func token(of visitor: WebVisitor, _ site: WebSite) {
        guard let cookie = visitor.cookie else { return }
        void(
            "input",
            ["type": "hidden", "name": "token", "value": site.sessions.formToken(for: cookie)])
    }

    /// Adds a button that sends a form.
    mutating func action(
        _ address: String, _ label: String, _ visitor: WebVisitor, _ site: WebSite,
        describing subject: String? = nil
    ) {
        element("form", ["method": "post", "action": address, "class": "action"]) { html in
            html.token(of: visitor, site)
            html.element(
                "button", ["aria-label": subject.map { "\(label) \($0)" }], text: label)
        }
    }

    /// Adds a point in time; the page's script shows it in the reader's time zone.
    mutating func time(_ value: JSONValue?) {
        guard let seconds = value?.doubleValue else { return }
        let text = WebTime.text(of: seconds)
        element("time", ["datetime": text.replacing(" UTC", with: "Z").replacing(" ", with: "T")]) {
            $0.text(text)
        }
    }

    /// Adds how long a build or step took; while it runs, the page's script counts on.
    mutating func duration(of record: JSONObject, at now: Double) {
        guard let start = record["started_at"]?.doubleValue else { return }
        let seconds = max(0, (record["complete_at"]?.doubleValue ?? now) - start)
        element(
            "span", ["data-seconds": record.isRunning ? "\(Int(seconds))" : nil],
            text: WebTime.duration(seconds))
    }

    /// Adds the size of a log; while it grows, the page's script counts on.
    mutating func lineCount(of log: JSONObject) {
        let count = log.int("num_lines")
        element(
            "span", ["data-count": log["complete"] == true ? nil : "\(log.int("logid"))"],
            text: count == 1 ? "1 line" : "\(count) lines")
    }

    /// Adds a name with its value to a list of facts.
    mutating func fact(_ name: String, _ content: (inout HTML) -> Void) {
        element("div") { html in
            html.element("dt", text: name)
            html.element("dd") { content(&$0) }
        }
    }

    /// Adds a result in words and color.
    mutating func badge(_ results: Results?, isRunning: Bool) {
        let word = isRunning ? "running" : results?.name ?? "pending"
        element("span", ["class": "badge \(word)"], text: word)
    }

    /// Adds a table whose rows scroll sideways on a small screen.
    mutating func table(
        _ caption: String, id: String, columns: [String], _ rows: (inout HTML) -> Void
    ) {
        element("div", ["class": "table", "id": id, "data-refresh": ""]) { html in
            html.element("table") { html in
                html.element("caption", text: caption)
                html.element("thead") { html in
                    html.element("tr") { html in
                        for column in columns {
                            html.element("th", ["scope": "col"], text: column)
                        }
                    }
                }
                html.element("tbody") { rows(&$0) }
            }
        }
    }
}

/// Times and durations for people.
enum WebTime {
    /// `2026-11-28 22:44:05 UTC`.
    static func text(of seconds: Double) -> String {
        let total = Int(seconds.rounded(.down))
        let (days, rest) = (
            Int((Double(total) / 86400).rounded(.down)), ((total % 86400) + 86400) % 86400
        )
        // The civil calendar, from days since 1970, in eras of 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let day = shifted - era * 146_097
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = (
            year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.0)-\(two(date.1))-\(two(date.2)) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) UTC"
    }

    /// `1 h 5 min`, `12 s`.
    static func duration(_ seconds: Double) -> String {
        let total = Int(seconds.rounded())
        switch total {
        case ..<1: return "< 1 s"
        case ..<60: return "\(total) s"
        case ..<3600: return "\(total / 60) min \(total % 60) s"
        default: return "\(total / 3600) h \(total / 60 % 60) min"
        }
    }
}

extension String {
    /// The text so that, if some of it is written from right to left, what stands beside it keeps
    /// its place.
    var isolated: String {
        let isMixed = unicodeScalars.contains { scalar in
            switch scalar.value {
            case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFE, 0x10800...0x10FFF,
                0x1E800...0x1EFFF:
                true
            default: false
            }
        }
        return isMixed ? "\u{2068}\(self)\u{2069}" : self
    }
}
