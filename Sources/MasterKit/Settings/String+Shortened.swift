extension String {
    /// The text itself, or its beginning when it is too long to be a word of a sentence.
    var shortened: String {
        count > 40 ? prefix(37) + "..." : self
    }
}
