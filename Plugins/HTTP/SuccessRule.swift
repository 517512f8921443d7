import MasterKit

/// The setting `success`: which responses are a success, by status and values in the body.
struct SuccessRule: SettingValue {
    /// The statuses, or `nil` for the default ones.
    let statuses: StatusSet?
    /// The values required in the JSON body.
    let values: [(pointer: JSONPointer, value: JSONValue)]

    static var shape: String {
        "\(StatusSet.shape), or {status: 2xx, json: {/pointer: value}}"
    }

    static var form: ValueForm { .either([StatusSet.form, .settings(Form.self)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> SuccessRule? {
        guard node.mapping != nil else {
            guard node.sequence != nil || node.scalar != nil && !node.isNull else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.decode(StatusSet.self, from: node).map {
                SuccessRule(statuses: $0, values: [])
            }
        }
        let form = decoder.read(Form.self, from: node, owner: decoder.subject, at: node.range)
        guard let form else { return nil }
        guard form.status != nil || form.json != nil else {
            return decoder.error(
                "\(decoder.subject) is empty; write \(shape), or leave it out", at: node.range)
        }
        return SuccessRule(statuses: form.status, values: form.json?.values ?? [])
    }

    private struct Form: Settings {
        @Setting("The statuses.") var status: StatusSet?
        @Setting("Values in the body.", .notEmpty) var json: BodyValues?
    }

    /// Values in the body, by JSON pointer.
    private struct BodyValues: SettingValue {
        let values: [(pointer: JSONPointer, value: JSONValue)]

        static var shape: String { "a mapping of JSON pointers to values, such as {/ok: true}" }

        static var form: ValueForm { .mapping(of: .any) }

        static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BodyValues? {
            guard let entries = node.mapping?.entries else {
                return decoder.mismatch(node, expected: shape)
            }
            let values = entries.map { value($0, decoder) }
            let present = values.compactMap(\.self)
            return present.count == values.count ? BodyValues(values: present) : nil
        }

        private static func value(
            _ entry: YAMLMapping.Entry, _ decoder: SettingDecoder
        ) -> (pointer: JSONPointer, value: JSONValue)? {
            let text = decoder.decode(String.self, from: entry.key)
            let value = decoder.decode(JSONValue.self, from: entry.value)
            guard let text, let value else { return nil }
            do {
                return (try JSONPointer(parsing: text), value)
            } catch {
                return decoder.error(error.message, at: entry.key.range)
            }
        }
    }

    /// Checks a body and describes why it is not a success.
    ///
    /// - Parameters:
    ///   - bytes: The body.
    ///   - showsTexts: Whether strings from the body may be shown, as they may be secret.
    /// - Returns: A sentence such as "/ok is false, not true", or `nil` if the body is a success.
    func fault(inBody bytes: [UInt8], showsTexts: Bool) -> String? {
        guard !values.isEmpty else { return nil }
        let body = AnswerBody(bytes)
        for (pointer, wanted) in values {
            switch body.value(at: pointer, showsTexts: showsTexts) {
            case .failure(let miss): return miss.reason
            case .success(wanted): continue
            case .success(let found):
                let place = pointer.tokens.isEmpty ? "the body" : "\(pointer)"
                let words = Self.words(for: found, insteadOf: wanted, showsTexts)
                return "\(place) is \(words), not \(JSONWriter.compact.string(wanted))"
            }
        }
        return nil
    }

    private static func words(
        for found: JSONValue, insteadOf wanted: JSONValue, _ showsTexts: Bool
    ) -> String {
        if case (.number, .number) = (found, wanted) {
            let text = showsTexts ? found.text : nil
            return text.flatMap { $0.count > AnswerBody.shownCount ? nil : $0 } ?? "another number"
        }
        return showsTexts || found.stringValue == nil
            ? AnswerBody.wording(found) : AnswerBody.kind(of: found)
    }
}
