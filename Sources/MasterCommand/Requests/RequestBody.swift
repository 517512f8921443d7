internal import MasterKit
internal import MasterReceiver

/// What the body of a request is, by its own look.
enum RequestBody {
    /// There is none.
    case none
    /// JSON.
    case json(JSONValue)
    /// Text that is no JSON.
    case text(String)
    /// Anything else.
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

    /// The size of the body in words.
    static func size(_ request: ReceivedRequest) -> String {
        let count = request.body.count
        switch count {
        case 0: return "no body"
        case ..<1024: return "\(count) B"
        case ..<(1 << 20): return tenths(of: 1 << 10, in: count) + " KiB"
        default: return tenths(of: 1 << 20, in: count) + " MiB"
        }
    }

    private static func tenths(of unit: Int, in count: Int) -> String {
        let tenths = (count * 10 + unit / 2) / unit
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func mayBeJSON(_ type: String) -> Bool {
        type.isEmpty || type.contains("json") || type.hasPrefix("text/")
    }

    private static func json(_ bytes: [UInt8]) -> JSONValue? {
        do {
            return try JSONParser().parse(bytes)
        } catch {
            return nil  // what is no JSON is shown as the text that it is
        }
    }
}
