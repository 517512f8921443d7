/// A mail address with an optional name, such as `Build Master <ci@example.org>`.
///
/// The address is ASCII: an internationalized domain is converted, and a local part with other
/// letters is refused, as few servers accept it.
public struct MailAddress: Sendable, Hashable {
    /// Why a text is not a mail address.
    public struct Fault: Error, Hashable, CustomStringConvertible {
        /// A clause about the text, such as `has no '@'`.
        public let reason: String

        /// The clause.
        public var description: String { reason }
    }

    /// The name of the person or system, if given.
    public let name: String?
    /// The address: `local@domain`.
    public let address: String

    /// Parses `local@domain` or `Name <local@domain>`.
    public init(_ text: String) throws(Fault) {
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw Fault(reason: "has a line break or another control character in it")
        }
        let text = text.trimmed
        guard let open = text.lastIndex(of: "<") else {
            name = nil
            address = try Self.checked(text)
            return
        }
        guard text.hasSuffix(">") else {
            throw Fault(reason: "has no '>' at its end; write 'Name <local@domain>'")
        }
        let name = Self.unquoted(text[..<open].trimmed)
        self.name = name.isEmpty ? nil : name
        address = try Self.checked(String(text[open...].dropFirst().dropLast()))
    }

    /// The part after the last '@'.
    public var domain: String {
        address.lastIndex(of: "@").map { String(address[address.index(after: $0)...]) } ?? ""
    }

    private static func unquoted(_ name: String) -> String {
        guard name.count >= 2, name.hasPrefix("\""), name.hasSuffix("\"") else { return name }
        var (plain, isEscaped) = ("", false)
        for character in name.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                plain.append(character)
                isEscaped = false
            }
        }
        return plain
    }

    private static func checked(_ text: String) throws(Fault) -> String {
        guard !text.contains(where: { ",;".contains($0) }) else {
            throw Fault(reason: "has more than one address in it; write a list")
        }
        guard let at = text.lastIndex(of: "@") else { throw Fault(reason: "has no '@'") }
        let local = text[..<at]
        guard local.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw Fault(
                reason: "has a letter before its '@' that is not ASCII, which few mail servers "
                    + "accept; use an ASCII alias")
        }
        let atoms = local.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...64).contains(local.utf8.count),
            atoms.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isAtomByte) })
        else { throw Fault(reason: "has an invalid part before its '@'") }
        return "\(local)@\(try domain(String(text[text.index(after: at)...])))"
    }

    /// The domain in ASCII; an IP address in brackets is kept.
    private static func domain(_ text: String) throws(Fault) -> String {
        if text.hasPrefix("["), text.hasSuffix("]"), text.count > 2,
            text.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || ".:IPv".contains($0) })
        {
            return text
        }
        let ascii: String
        do throws(HTTPAddress.Fault) {
            ascii = try InternationalName.ascii(text)
        } catch {
            throw Fault(reason: "has an invalid domain")
        }
        let labels = ascii.split(separator: ".", omittingEmptySubsequences: false)
        guard ascii.utf8.count <= 253, labels.allSatisfy({ isLabel($0) }) else {
            throw Fault(reason: "has an invalid domain")
        }
        return ascii
    }

    /// Whether a text can be the host of a mail server: a name or an IP address.
    public static func isHost(_ text: String) -> Bool {
        if text.contains(":") { return text.allSatisfy { $0.isHexDigit || ":.".contains($0) } }
        do throws(Fault) {
            return try !domain(text).hasPrefix("[")
        } catch {
            return false
        }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isAtomByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || "!#$%&'*+/=?^_`{|}~-".utf8.contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension StringProtocol {
    /// The text without spaces around it.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
