/// What to write instead of spellings that other template languages have.
enum TemplateHints {
    /// What is wrong with an unknown test, and how to fix it.
    static func unknownTest(_ name: String) -> String {
        let known = TemplateTest.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        let remedy =
            switch name {
            case "odd": "write number % 2 == 1"
            case "even": "write number % 2 == 0"
            case "divisibleby": "write number % 3 == 0"
            case "in": "write value in list"
            case "eq", "equalto", "sameas": "write value == other"
            case "ne": "write value != other"
            case "gt", "greaterthan": "write value > other"
            case "ge": "write value >= other"
            case "lt", "lessthan": "write value < other"
            case "le": "write value <= other"
            case "true", "True": "write value == true"
            case "false", "False": "write value == false"
            case "boolean": "write value in [true, false]"
            case "integer", "float": "write value is number"
            case "iterable": "write value is sequence"
            case "lower": "write value == value | lower"
            case "upper": "write value == value | upper"
            case "empty": "write not value"
            default: "known are \(known)"
            }
        return "unknown test '\(name)'; \(remedy)"
    }

    /// What to write instead of a word or sign after a complete expression.
    static func remedy(forFollowing kind: TemplateToken.Kind, after last: TemplateToken?) -> String?
    {
        switch kind {
        case .sign("="): return "values are compared with '=='"
        case .sign("=="), .sign("!="), .sign("<"), .sign("<="), .sign(">"), .sign(">="),
            .name("in"), .name("not"), .name("is"):
            return "join comparisons with 'and', as in a < b and b < c"
        case .sign("**"): return "templates have no powers; write a * a"
        case .sign("<<"), .sign(">>"): return "templates have no operators on bits"
        case .sign(":="): return "write {% set name = value %}"
        case .sign("||"): return "write 'or'"
        case .sign(":"), .sign(")"), .sign("]"), .name("then"): return "omit it"
        case .sign(","): return "write a list as [a, b]"
        case .name("for"): return "a list can't be computed; write {% for item in list %}"
        case .name("as"): return "write {% set name = value %}"
        case .name("recursive"): return "a loop can't call itself"
        case .text, .sign("..."): return "join texts with ~, as in a ~ b"
        case .name:
            if case .number? = last?.kind { return "write a number as 1000 or 0.5" }
            return nil
        case .sign, .number, .end: return nil
        }
    }

    /// What to write instead of a sign where a value is expected.
    static func remedy(forMissingValueAt kind: TemplateToken.Kind) -> String? {
        switch kind {
        case .sign("+"): "write the number without it"
        case .sign("."): "write a name before it"
        case .sign(":"): "write it after a filter, or in [1:3]"
        case .sign(")"), .sign("]"), .sign("["), .sign("("), .sign("="), .sign(","): nil
        case .sign: "write a value before it"
        case .name, .number, .text, .end: nil
        }
    }

    /// The filter that does what a function of Python does.
    static func filter(for function: String) -> TemplateFilter? {
        switch function {
        case "len": .length
        case "str": .string
        case "sorted": .sort
        case "reversed": .reverse
        default: TemplateFilter(named: function)
        }
    }

    /// What to do about a sign that no expression has.
    static func remedy(forSign sign: Character) -> String {
        switch sign {
        case "{": "a mapping can't be written here, put it into 'ctx' or use {% if %}"
        case "&": "write 'and'"
        case "!": "write 'not'"
        case "?": "write 'a if condition else b'"
        case "$", "@": "write the name without it"
        case ";": "omit it"
        case "#": "write a comment as {# comment #}"
        case "^": "templates have no operators on bits"
        default: "texts need quotes"
        }
    }
}
