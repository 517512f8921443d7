/// Sentences that are needed both by the parser of syntax and by the composer of nodes.
enum SyntaxTrap {
    /// What is wrong with a value that begins with `{{`.
    static let template =
        "an unquoted '{{' begins a mapping, not a template; "
        + "put quotes around the text, as in !Template \"{{ … }}\""
}
