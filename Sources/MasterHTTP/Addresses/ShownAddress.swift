/// Replaces secrets and anything else that must not be shown.
public typealias HTTPHiding = @Sendable (String) -> String

/// An address as shown in errors and exchanges.
///
/// Secrets are hidden in the address as written; parsed and encoded, they might not be recognized.
struct ShownAddress: Sendable, Equatable {
    /// Host and port.
    let authority: String
    /// The address without user, password and fragment.
    let url: String
    /// Whether anything was replaced.
    let isHidden: Bool

    init(_ address: HTTPAddress, hiding: HTTPHiding?) {
        self.init(
            written: address.text, url: address.encoded, authority: address.authority,
            hiding: hiding)
    }

    /// Shows the written address if it contains anything to hide, or else the parsed one.
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

    /// Splits an address in which any part may have been replaced by a name in angle brackets.
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
