/// The ways in which ordinary text becomes something else in YAML, each with its remedy.
enum SyntaxTrap {
    case template

    /// What is wrong and how to write it.
    var message: String {
        switch self {
        case .template:
            "an unquoted '{{' begins a mapping, not a template; "
                + "put quotes around the text, as in !Template \"{{ … }}\""
        }
    }
}
