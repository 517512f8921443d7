/// What a filter is called and how many arguments it takes.
enum TemplateFilter: String, Sendable, Hashable, CaseIterable {
    case capitalize
    case `default`
    case escape
    case first
    case indent
    case join
    case json
    case last
    case length
    case lowercase
    case safe
    case split
    case trim
    case truncate
    case uppercase

    /// Finds a filter by its name, or by what Jinja or Stencil call it.
    init?(named name: String) {
        switch name {
        case "upper": self = .uppercase
        case "lower": self = .lowercase
        case "count": self = .length
        case "d": self = .default
        case "e": self = .escape
        case "tojson": self = .json
        default: self.init(rawValue: name)
        }
    }

    /// Whether a mask still finds a secret in what the filter makes of a value.
    func keepsSecrets(in value: JSONValue?) -> Bool {
        switch self {
        case .default, .escape, .indent, .join, .json, .length, .safe, .trim: true
        case .first, .last: value?.arrayValue != nil
        case .capitalize, .lowercase, .split, .truncate, .uppercase: false
        }
    }

    /// How many arguments the filter takes.
    var argumentCount: ClosedRange<Int> {
        switch self {
        case .default, .truncate: 1...1
        case .join, .split: 0...1
        case .indent: 0...3
        default: 0...0
        }
    }

    /// How the filter is written, for a message.
    var usage: String {
        switch self {
        case .default: "default:\"text\""
        case .truncate: "truncate:80"
        case .join: "join:\", \""
        case .split: "split:\",\""
        case .indent: "indent:4"
        default: rawValue
        }
    }
}
