/// What libyaml has to say when it cannot go on, in its own words.
struct SyntaxProblem: Error {
    /// What went wrong, such as "did not find expected key".
    let problem: String
    /// Where it went wrong.
    let offset: Int
    /// What was being read, such as "while parsing a block mapping".
    let context: String?
    /// Where that began.
    let contextOffset: Int?
}
