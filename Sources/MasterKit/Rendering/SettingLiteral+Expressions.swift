/// The expressions of master.yaml, spelled as there.
extension SettingLiteral {
    /// `!Property`: the value of a property, with its type.
    ///
    /// - Parameters:
    ///   - name: The property's name.
    ///   - fallback: The value when the property is missing, which may be computed.
    ///   - replacesFalse: Whether the fallback also stands for false, 0, null and what is empty.
    /// - Returns: The expression.
    public static func property(
        _ name: String, default fallback: SettingLiteral? = nil,
        defaultWhenFalse replacesFalse: Bool = true
    ) -> SettingLiteral {
        guard let fallback else { return tagged(.property, name) }
        let form: KeyValuePairs = [
            "key": YAMLNode(name), "default": fallback.node,
            "defaultWhenFalse": YAMLNode(replacesFalse),
        ]
        let tag = YAMLTag(local: ExpressionTag.property.rawValue)
        return SettingLiteral(YAMLNode(form, tag: tag))
    }

    /// `!Interpolate`: a text with values in it.
    ///
    /// - Parameters:
    ///   - format: The text with its `%(…)s`.
    ///   - arguments: A value for each `%s`, or one mapping of the values for `%(kw:name)s`.
    /// - Returns: The expression.
    public static func interpolate(
        _ format: String, _ arguments: SettingLiteral...
    ) -> SettingLiteral {
        tagged(.interpolate, [.string(format)] + arguments)
    }

    /// `!Template`: a text made by a template.
    public static func template(_ text: String) -> SettingLiteral {
        tagged(.template, text)
    }

    /// `!Secret`: the value of a secret.
    public static func secret(_ name: String) -> SettingLiteral {
        tagged(.secret, name)
    }

    /// `!FlattenList`: the items of nested lists as one list.
    public static func flattenList(_ items: [SettingLiteral]) -> SettingLiteral {
        tagged(.flattenList, items)
    }

    /// `!Field`: a part of the report, with its type, where a report is shaped.
    public static func field(_ path: String) -> SettingLiteral {
        tagged(.field, path)
    }

    /// `!Equal`: whether two values are the same.
    public static func equal(_ one: SettingLiteral, _ other: SettingLiteral) -> SettingLiteral {
        tagged(.equal, [one, other])
    }

    /// `!NotEqual`: whether two values differ.
    public static func notEqual(_ one: SettingLiteral, _ other: SettingLiteral) -> SettingLiteral {
        tagged(.notEqual, [one, other])
    }

    /// `!OneOf`: whether a value is in a list.
    public static func oneOf(_ value: SettingLiteral, _ list: SettingLiteral) -> SettingLiteral {
        tagged(.oneOf, [value, list])
    }

    /// `!Matches`: whether a regular expression is found in a value.
    public static func matches(_ value: SettingLiteral, _ pattern: String) -> SettingLiteral {
        tagged(.matches, [value, .string(pattern)])
    }

    /// `!All`: whether all conditions are true.
    public static func all(_ conditions: [SettingLiteral]) -> SettingLiteral {
        tagged(.all, conditions)
    }

    /// `!Any`: whether one of the conditions is true.
    public static func any(_ conditions: [SettingLiteral]) -> SettingLiteral {
        tagged(.any, conditions)
    }

    /// `!Not`: whether a condition is false.
    public static func not(_ condition: SettingLiteral) -> SettingLiteral {
        tagged(.not, [condition])
    }

    /// `!Results`: whether the result so far is one of these.
    public static func results(_ wanted: [Results]) -> SettingLiteral {
        tagged(.results, wanted.map { .string($0.name) })
    }

    private static func tagged(_ tag: ExpressionTag, _ text: String) -> SettingLiteral {
        SettingLiteral(YAMLNode(text, tag: YAMLTag(local: tag.rawValue)))
    }

    private static func tagged(_ tag: ExpressionTag, _ items: [SettingLiteral]) -> SettingLiteral {
        SettingLiteral(YAMLNode(items.map(\.node), tag: YAMLTag(local: tag.rawValue)))
    }
}
