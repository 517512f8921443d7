/// Reads the values that a person enters in a form.
package struct ForceValues: Sendable {
    /// What is wrong with the values, by the full names of their fields.
    package private(set) var faults = JSONObject()
    /// The values by the full names of their fields.
    private let given: JSONObject

    package init(_ given: JSONObject) {
        self.given = given
    }

    /// Notes what is wrong with a value.
    mutating func refuse(_ name: String, _ fault: String) {
        faults[name] = .string(fault)
    }

    /// The values of parameters by the names of their properties; those without a value are left
    /// out.
    package mutating func properties(
        of parameters: [ForceParameter], in parent: ForceParameter? = nil
    ) -> JSONObject {
        var properties = JSONObject()
        for parameter in parameters {
            let name = parent?.fullName(of: parameter) ?? parameter.name
            if parameter.kind == .nested {
                var group = parameter
                group.name = name
                let fields = self.properties(of: parameter.fields, in: group)
                if parameter.name.isEmpty {
                    properties.merge(fields)
                } else {
                    properties[parameter.name] = .object(fields)
                }
            } else if let value = value(of: parameter, named: name) {
                properties[parameter.name] = value
            }
        }
        return properties
    }

    /// The value of a parameter that is not nested.
    ///
    /// - Parameters:
    ///   - parameter: The parameter.
    ///   - name: Its full name.
    /// - Returns: The value, or `nil` if it has none.
    package mutating func value(of parameter: ForceParameter, named name: String) -> JSONValue? {
        guard parameter.kind != .fixed else { return parameter.fallback }
        guard let value = given[name].map(parameter.value), !value.isNull else {
            return fallback(of: parameter, named: name)
        }
        guard value != "", value != [] else {
            if parameter.isRequired {
                faults[name] = "needs a value"
                return nil
            }
            // An emptied field is an empty text or list; other types have no such value.
            return parameter.isText || parameter.isMultiple ? value : parameter.fallback
        }
        if let fault = parameter.fault(of: value) {
            faults[name] = .string(fault)
            return nil
        }
        return value
    }

    private mutating func fallback(
        of parameter: ForceParameter, named name: String
    ) -> JSONValue? {
        if parameter.isRequired, parameter.fallback == nil { faults[name] = "needs a value" }
        return parameter.fallback
    }
}

extension ForceParameter {
    /// Whether its values are texts that a person writes.
    fileprivate var isText: Bool {
        switch kind {
        case .string, .text, .user, .file: true
        case .int, .bool, .choice, .worker, .fixed, .nested: false
        }
    }

    /// Why a value is not allowed, to follow the name of the parameter; `nil` if it is.
    func fault(of value: JSONValue) -> String? {
        switch kind {
        case .fixed, .nested: nil
        case .int: value.intValue == nil ? "must be a whole number" : nil
        case .bool:
            if case .bool = value { nil } else { "must be true or false" }
        case .choice where isMultiple:
            value.arrayValue?.allSatisfy(isChoice) == true
                ? nil : "must be of \(choices.joined(separator: ", "))"
        case .choice, .worker:
            isChoice(value) ? nil : "must be one of \(choices.joined(separator: ", "))"
        case .string, .text, .user, .file: faultOfText(value)
        }
    }

    private func isChoice(_ value: JSONValue) -> Bool {
        value.stringValue.map { !isStrict || choices.contains($0) } == true
    }

    private func faultOfText(_ value: JSONValue) -> String? {
        guard let text = value.stringValue else { return "must be a text" }
        if let byteLimit, text.utf8.count > byteLimit { return "has more than \(byteLimit) bytes" }
        if needsAddress, !text.contains(/[^\s@<>]@[^\s@<>]/) {
            return "must have a mail address, such as Ann <ann@example.org>"
        }
        guard let pattern else { return nil }
        do {
            return try pattern.isFound(in: text, onlyAtStart: true)
                ? nil : "does not match '\(pattern.text.shortened)'"
        } catch {
            return "can't be compared with '\(pattern.text.shortened)': \(error)"
        }
    }

    /// The value of a text given on the command line or by a stock client, or one of another type
    /// as it is.
    fileprivate func value(of given: JSONValue) -> JSONValue {
        guard let text = given.stringValue else { return given }
        switch kind {
        case .int: return Int(text).map { .int($0) } ?? given
        case .bool: return Bool(text).map { .bool($0) } ?? given
        case .choice where isMultiple: return text.isEmpty ? [] : [given]
        case .worker: return text == Self.anyWorker ? .null : given
        case .string, .text, .fixed, .choice, .user, .file, .nested: return given
        }
    }
}
