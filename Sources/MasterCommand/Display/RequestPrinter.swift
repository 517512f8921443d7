internal import MasterKit
internal import MasterReceiver

/// Formats received requests for users.
struct RequestPrinter: Sendable {
    /// The amount of detail shown.
    enum Form: Sendable {
        /// One line for the request, and an outline of the body.
        case compact(width: Int)
        /// The relevant headers and the complete body.
        case whole
    }

    /// The maximum number of lines of a body in the compact form.
    static let compactLineLimit = 24
    /// The width of lines without a terminal.
    static let plainWidth = 120
    /// The maximum size in bytes of a text body in the whole form.
    static let textByteLimit = 64 << 10

    let paint: TextPainter
    let marks: StatusSymbols
    let form: Form
    /// Masks secrets, as a master may send them to its own receiver.
    let mask: SecretMask

    init(_ traits: TerminalTraits, _ form: Form, hiding mask: SecretMask = SecretMask([])) {
        self.mask = mask
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
        self.form = form
    }

    /// The lines for a request.
    func lines(_ request: ReceivedRequest) -> [String] {
        switch form {
        case .compact(let width):
            [head(request, with: RequestBody.kind(request))]
                + compactBody(request, width: width).map { "    " + $0 }
        case .whole:
            [head(request, with: nil)] + headers(request).map { "  " + $0 }
                + wholeBody(request).map { "  " + $0 } + [""]
        }
    }

    private func head(_ request: ReceivedRequest, with kind: String?) -> String {
        let target = mask.apply(to: request.target).makingControlsVisible()
        var parts = [paint(.bold, "\(request.method) \(target)")]
        if let kind { parts.append(kind) }
        if form.isCompact || !request.body.isEmpty { parts.append(RequestBody.size(request)) }
        switch request.extent {
        case .whole: break
        case .cutShort: parts.append(paint(.yellow, "connection closed before the end of the body"))
        case .tooLarge: parts.append(paint(.yellow, "refused: body too large"))
        }
        let arrow = marks.hasUnicode ? "→" : "->"
        return paint(.cyan, "\(arrow) #\(request.number)") + " " + parts.joined(separator: "  ")
    }

    // MARK: Headers

    private func headers(_ request: ReceivedRequest) -> [String] {
        request.headers.compactMap { header in
            let name = header.name.lowercased()
            guard Self.shown.contains(name) || name.hasPrefix("webhook-") else { return nil }
            let shown = mask.apply(to: header.value)
            let value = Self.hidden.contains(name) ? Self.hiding(shown) : shown
            return paint(.dim, "\(header.name):") + " " + value.makingControlsVisible()
        }
    }

    private static let shown: Set<String> = [
        "content-type", "content-encoding", "user-agent", "authorization", "cookie",
        "proxy-authorization",
    ]
    private static let hidden: Set<String> = ["authorization", "cookie", "proxy-authorization"]

    /// The scheme of a credential, with the rest hidden.
    private static func hiding(_ value: String) -> String {
        let words = value.split(separator: " ", maxSplits: 1)
        return words.count == 2 ? "\(words[0]) (hidden)" : "(hidden)"
    }

    // MARK: Bodies

    private func wholeBody(_ request: ReceivedRequest) -> [String] {
        switch RequestBody(request, hiding: mask) {
        case .none: []
        case .json(let value):
            JSONWriter.pretty.string(value).lines.map { $0.makingControlsVisible() }
        case .text(let text): text.lines.map { $0.makingControlsVisible(keepingTabs: true) }
        case .bytes(let count): ["(\(count) bytes of binary data)"]
        }
    }

    private func compactBody(_ request: ReceivedRequest, width: Int) -> [String] {
        let lines: [String] =
            switch RequestBody(request, hiding: mask) {
            case .none, .bytes: []
            case .json(let value): JSONOutline.lines(value).map { $0.makingControlsVisible() }
            case .text(let text): text.lines.map { $0.makingControlsVisible() }
            }
        let room = max(0, width - 4)
        let shown = lines.prefix(
            lines.count > Self.compactLineLimit ? Self.compactLineLimit - 1 : lines.count)
        let rest = lines.count - shown.count
        return shown.map { $0.cut(to: room, ellipsis: marks.ellipsis) }
            + (rest > 0 ? [paint(.dim, "\(marks.ellipsis) \(rest) more lines")] : [])
    }
}

extension RequestPrinter.Form {
    fileprivate var isCompact: Bool {
        if case .compact = self { true } else { false }
    }
}

extension String {
    /// The lines of the text without line breaks; a final line break does not start another line.
    /// Other characters that may end a line, such as U+2028, stay in it, as JSON contains them.
    var lines: [String] {
        var lines = split(omittingEmptySubsequences: false) { ["\n", "\r\n", "\r"].contains($0) }
            .map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

/// The body of a request, by its content.
enum RequestBody {
    case none
    case json(JSONValue)
    /// Text that is not JSON.
    case text(String)
    /// Binary data.
    case bytes(count: Int)

    init(_ request: ReceivedRequest, hiding mask: SecretMask) {
        guard !request.body.isEmpty else {
            self = .none
            return
        }
        let type = request.header("content-type")?.lowercased() ?? ""
        if Self.mayBeJSON(type), let value = Self.json(request.body) {
            self = .json(mask.apply(to: value))
        } else if request.body.count <= RequestPrinter.textByteLimit,
            let text = String(validating: request.body, as: UTF8.self), !text.utf8.contains(0)
        {
            self = .text(mask.apply(to: text))
        } else {
            self = .bytes(count: request.body.count)
        }
    }

    /// The media type of the body, without its parameters.
    static func kind(_ request: ReceivedRequest) -> String? {
        let type = request.header("content-type")?.prefix { $0 != ";" }
        return type.map { String($0).makingControlsVisible() }
    }

    /// The size of the body as text.
    static func size(_ request: ReceivedRequest) -> String {
        request.body.isEmpty ? "no body" : request.body.count.bytesForPeople
    }

    private static func mayBeJSON(_ type: String) -> Bool {
        type.isEmpty || type.contains("json") || type.hasPrefix("text/")
    }

    private static func json(_ bytes: [UInt8]) -> JSONValue? {
        do {
            return try JSONParser().parse(bytes)
        } catch {
            return nil  // Not JSON: shown as text.
        }
    }
}

/// Formats JSON with one line per key or element of the outermost level.
enum JSONOutline {
    private static let writer = JSONWriter(spacesAfterSeparators: true)

    static func lines(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty:
            let pairs = object.map { pair in
                "\(text(.string(pair.key))): \(text(pair.value))"
            }
            return ["{"] + indented(pairs) + ["}"]
        case .array(let elements) where !elements.isEmpty:
            return ["["] + indented(elements.map(text)) + ["]"]
        default:
            return [text(value)]
        }
    }

    private static func text(_ value: JSONValue) -> String { writer.string(value) }

    private static func indented(_ lines: [String]) -> [String] {
        lines.enumerated().map { "  " + $1 + ($0 < lines.count - 1 ? "," : "") }
    }
}
