import MasterKit

/// One mail address or several.
struct MailAddressList: SettingValue {
    let addresses: [MailAddress]

    static var shape: String { "a mail address, or a list of them" }

    static var form: ValueForm { .either([.list(of: .text), .text]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> MailAddressList? {
        guard node.sequence != nil else {
            return decoder.decode(MailAddress.self, from: node).map {
                MailAddressList(addresses: [$0])
            }
        }
        return decoder.decode([MailAddress].self, from: node).map { MailAddressList(addresses: $0) }
    }
}

/// The setting `lookup`: the domain of users, with an '@' before it or without.
struct MailDomain: SettingValue {
    let text: String

    static var shape: String { "a domain such as example.org" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> MailDomain? {
        guard case .string(let text) = node.resolved else {
            return decoder.mismatch(node, expected: shape)
        }
        let domain = text.hasPrefix("@") ? String(text.dropFirst()) : text
        do throws(MailAddress.Fault) {
            return MailDomain(text: try MailAddress("user@\(domain)").domain)
        } catch {
            return decoder.mismatch(node, expected: shape)
        }
    }
}

/// The setting `relayhost`: the host of a mail server.
struct MailHost: SettingValue {
    let text: String

    static var shape: String { "the name or IP address of a mail server" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> MailHost? {
        guard case .string(let text) = node.resolved else {
            return decoder.mismatch(node, expected: shape)
        }
        guard MailAddress.isHost(text) else {
            return decoder.error(
                "\(decoder.subject) must be \(shape), not '\(text.prefix(80))'; write the port in "
                    + "'smtpPort'", at: node.range)
        }
        return MailHost(text: text)
    }
}

/// The setting `extraHeaders`: names and values, in order.
struct MailHeaders: SettingValue {
    let fields: [(name: String, value: String)]

    static var shape: String { "a mapping of header names to texts" }

    static var form: ValueForm { .mapping(of: .text) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> MailHeaders? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        let fields = entries.map { field($0, decoder) }
        let present = fields.compactMap(\.self)
        return present.count == fields.count ? MailHeaders(fields: present) : nil
    }

    private static func field(
        _ entry: YAMLMapping.Entry, _ decoder: SettingDecoder
    ) -> (name: String, value: String)? {
        guard let name = decoder.decode(String.self, from: entry.key) else { return nil }
        let value = decoder.about("the header '\(name)'") {
            decoder.decode(String.self, from: entry.value)
        }
        guard let value else { return nil }
        guard MailHeader.isName(name) else {
            return decoder.error(
                "'\(name)' is not a header name; use letters, digits and hyphens",
                at: entry.key.range)
        }
        guard !MailHeader.own.contains(name.lowercased()) else {
            let remedy = name.lowercased() == "subject" ? "write 'subject'" : "omit it"
            return decoder.error(
                "the header \(name) is written by \(MailNotifier.key); \(remedy)",
                at: entry.key.range)
        }
        guard !value.hasControlCharacter else {
            return decoder.error(
                "the value of the header \(name) has a line end or another control character in "
                    + "it; write it on one line", at: entry.value.range)
        }
        return (name, value)
    }
}
