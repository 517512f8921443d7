extension StringProtocol {
    /// The text itself, or its beginning when it is too long to be part of a sentence.
    var clipped: String {
        let limit = 60
        guard let end = index(startIndex, offsetBy: limit, limitedBy: endIndex), end < endIndex
        else {
            return String(self)
        }
        return self[..<end] + "…"
    }
}
