/// What an expression of a template has come to.
struct TemplateValue {
    /// The value, or `nil` when it is missing.
    var json: JSONValue?
    /// Whether the value is inserted into HTML as it is.
    var isSafe = false
    /// The name of the secret that the value was made from, when a mask would not find it any more.
    var secret: String?

    init(_ json: JSONValue?, isSafe: Bool = false, secret: String? = nil) {
        self.json = json
        self.isSafe = isSafe
        self.secret = secret
    }

    /// How the value reads in the rendered text; what is missing or null reads as nothing.
    var text: String {
        json?.text ?? ""
    }

    var isTruthy: Bool {
        json?.isTruthy ?? false
    }

    /// The member of a value under a key or at an index.
    func member(_ key: JSONValue?) -> JSONValue? {
        switch (json, key) {
        case (.object(let object), .some(let key)):
            guard let name = key.text else { return nil }
            return object[name] ?? Self.ownMember(name, of: json)
        case (.array(let array), .number(let number)):
            guard let index = number.intValue, index < array.count, index >= -array.count else {
                return nil
            }
            return array[index < 0 ? array.count + index : index]
        case (_, .string(let name)):
            return Self.ownMember(name, of: json)
        default:
            return nil
        }
    }

    /// What every list, mapping and text has: `first`, `last` and `count`.
    private static func ownMember(_ name: String, of json: JSONValue?) -> JSONValue? {
        switch (name, json) {
        case ("count", .array(let array)): .int(array.count)
        case ("count", .object(let object)): .int(object.count)
        case ("count", .string(let text)): .int(text.count)
        case ("first", .array(let array)): array.first
        case ("last", .array(let array)): array.last
        case ("first", .string(let text)): text.first.map { .string(String($0)) }
        case ("last", .string(let text)): text.last.map { .string(String($0)) }
        default: nil
        }
    }

    /// The text with everything escaped that means something in HTML.
    static func escapedForHTML(_ text: String) -> String {
        guard text.utf8.contains(where: { "&<>\"'".utf8.contains($0) }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// A text with `{{ … }}` and `{% … %}`, parsed once and rendered for each report or step.
///
/// The language is what Jinja and Stencil have in common: variables with paths, filters, `if` with
/// `elif` and `else`, `for` with `empty`, `filter`, and comments. A variable that is missing or
/// null renders as nothing. A template reads no files, and rendering is bounded in time and size.
public struct TemplateText: Sendable, Hashable {
    /// What a rendered template is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Text that is inserted as it is.
        case plain
        /// HTML: what is inserted is escaped, unless it is marked `safe`.
        case html
        /// JSON: what is inserted should pass through the filter `json`.
        case json
    }

    /// The text the template was parsed from.
    public let text: String

    /// What a rendered template is.
    public var kind: Kind

    /// The variables the template takes from outside, in the order of the text.
    public let variables: [TemplateVariable]

    let nodes: [TemplateNode]

    /// Parses a template.
    ///
    /// - Parameters:
    ///   - text: The template.
    ///   - kind: What it renders to.
    /// - Throws: The first mistake, with its place.
    public init(parsing text: String, kind: Kind = .plain) throws(TemplateError) {
        do throws(TemplateProblem) {
            var parser = try TemplateParser(text)
            nodes = try parser.parseTemplate()
            variables = parser.variables.found
        } catch {
            throw TemplateError(error.message, at: error.range, in: text)
        }
        self.text = text
        self.kind = kind
    }

    /// Renders the template with the values of its variables.
    ///
    /// - Parameters:
    ///   - context: The values by name.
    ///   - secrets: What hides secrets. What a filter makes of one is hidden, too.
    /// - Returns: The text.
    /// - Throws: When a filter can't be applied, the template takes too much time or room, or it makes
    ///   a text out of a secret that can't be hidden.
    public func render(
        _ context: JSONObject, hiding secrets: SecretMask? = nil
    ) throws(TemplateError) -> String {
        do throws(TemplateProblem) {
            var renderer = TemplateRenderer(
                context: context, escapesHTML: kind == .html, secrets: secrets)
            return try renderer.render(nodes)
        } catch {
            throw TemplateError(error.message, at: error.range, in: text)
        }
    }
}

/// A variable that a template takes from outside.
public struct TemplateVariable: Sendable, Hashable {
    /// The names of the path as far as they are known before rendering: `build`, `properties`.
    public let path: [String]
    /// Where the variable stands in the template, in UTF-8 bytes.
    public let range: Range<Int>
    /// Whether the template has a default for it.
    public let hasDefault: Bool

    /// The first name of the path.
    public var name: String { path.first ?? "" }
}

/// The variables that parsing has met, and the names that are bound where it is.
struct TemplateVariables {
    private(set) var found: [TemplateVariable] = []
    private var bound: [String] = []

    mutating func use(_ path: [String], at range: Range<Int>, hasDefault: Bool) {
        guard let name = path.first, !bound.contains(name) else { return }
        found.append(TemplateVariable(path: path, range: range, hasDefault: hasDefault))
    }

    mutating func bind(_ names: [String]) {
        bound += names
    }

    mutating func unbind(_ names: [String]) {
        bound.removeLast(names.count)
    }
}
