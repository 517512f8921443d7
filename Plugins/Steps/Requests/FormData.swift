import MasterKit

/// The setting `data`: fields that are form-encoded, or a text that is sent as it is.
enum FormData: SettingValue {
    case fields(FieldPairs)
    case text(String)

    static var shape: String { "a mapping, a list of pairs [name, value], or a text" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FormData? {
        guard node.scalar == nil else {
            return decoder.decode(String.self, from: node).map { .text($0) }
        }
        return decoder.decode(FieldPairs.self, from: node).map { .fields($0) }
    }

    /// What is sent when there are no files.
    var body: HTTPBody {
        switch self {
        case .fields(let fields): fields.isEmpty ? .empty : .form(fields.pairs)
        case .text(let text): text.isEmpty ? .empty : .text(text)
        }
    }
}
