internal import MasterKit

/// `name` of a builder: a text, or with a matrix an expression that uses its axes.
struct BuilderName: SettingValue, RenderableValue {
    let text: Renderable<String>
    let range: SourceRange?

    /// The longest name, in characters.
    static let maximumLength = 70
    /// The longest name of a folder, in bytes.
    private static let longestFolder = 255

    static var shape: String { String.shape }

    /// The name in messages.
    var wording: String { text.constant.map { "builder '\($0)'" } ?? "the builder" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuilderName? {
        guard let text = decoder.decode(Renderable<String>.self, from: node) else { return nil }
        if let constant = text.constant, let fault = fault(of: constant) {
            return decoder.error(fault, at: node.range)
        }
        return BuilderName(text: text, range: node.range)
    }

    /// Why a text can't name a builder, `nil` when it can.
    static func fault(of text: String) -> String? {
        if text.isEmpty { return "the name of a builder must not be empty" }
        if text.hasPrefix("_") { return "the name of a builder does not begin with '_'" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "the name of a builder has no control character in it"
        }
        if text.count > maximumLength {
            return "the name of a builder has at most \(maximumLength) characters; "
                + "this one has \(text.count)"
        }
        if FilePaths.component(text).utf8.count > longestFolder {
            return "the name of a builder names a folder too, for which it is too long"
        }
        return nil
    }
}
