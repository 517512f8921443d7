/// Replaces what must not be shown, such as secrets.
public typealias HTTPHiding = @Sendable (String) -> String

/// An address as errors and exchanges show it.
///
/// What hides secrets sees the address as it was given: taken apart and encoded it might no longer
/// be recognised.
struct ShownAddress: Sendable, Equatable {
    /// Host and port.
    let authority: String
    /// The address without user, password and fragment.
    let url: String
    /// Whether something was replaced.
    let isHidden: Bool

    /// Shows an address.
    init(_ address: HTTPAddress, hiding: HTTPHiding?) {
        self.init(
            written: address.text, url: address.encoded, authority: address.authority,
            hiding: hiding)
    }

    /// Shows what was written when there is something to be hidden in it, or else what it came to.
    init(written: String, url: String, authority: String, hiding: HTTPHiding?) {
        guard let hiding else {
            (self.authority, self.url, isHidden) = (authority, url, false)
            return
        }
        let hidden = hiding(written)
        guard hidden == written else {
            (self.authority, self.url) = Self.parts(of: hidden)
            isHidden = true
            return
        }
        self.authority = hiding(authority)
        self.url = hiding(url)
        isHidden = self.authority != authority
    }

    /// Takes an address apart in which a name in angle brackets may stand for any piece.
    private static func parts(of hidden: String) -> (authority: String, url: String) {
        let lowered = hidden.lowercased()
        let scheme = ["http://", "https://"].first { lowered.hasPrefix($0) } ?? ""
        var (authority, rest) = ("", "")
        var (isName, isRest) = (false, false)
        for character in hidden.dropFirst(scheme.count) {
            if character == "<" { isName = true }
            if character == ">" { isName = false }
            if !isName, character == "#" { break }
            if !isName, "/?".contains(character) { isRest = true }
            if isRest {
                rest.append(character)
            } else if !isName, character == "@" {
                authority = ""
            } else {
                authority.append(character)
            }
        }
        return (authority, "\(scheme)\(authority)\(rest)")
    }
}
