import MasterKit

/// The setting `max_redirects`: how many redirects are followed; one more is an error.
struct RedirectLimit: SettingValue {
    let count: Int

    static var shape: String { "a whole number of redirects" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RedirectLimit? {
        guard let count = decoder.decode(Int.self, from: node) else { return nil }
        guard count >= 0 else {
            return decoder.error(
                "\(decoder.subject) can't be \(count); with 0 the first redirect is an error, and "
                    + "'allow_redirects: false' takes a redirect for the answer", at: node.range)
        }
        return RedirectLimit(count: count)
    }
}
