import MasterKit

extension Report {
    /// The report without the values of secrets.
    func masked(by mask: SecretMask) -> Report {
        var report = self
        report.subject = subject.map { mask.apply(to: $0) }
        switch body {
        case .json(let value):
            report.body = .json(value.masked(by: mask))
        case .text(let text, let contentType):
            report.body = .text(mask.apply(to: text), contentType: contentType)
        }
        return report
    }
}

extension JSONValue {
    /// The value with every text in it, keys too, masked.
    fileprivate func masked(by mask: SecretMask) -> JSONValue {
        switch self {
        case .null, .bool, .number: self
        case .string(let text): .string(mask.apply(to: text))
        case .array(let values): .array(values.map { $0.masked(by: mask) })
        case .object(let object):
            .object(
                JSONObject(
                    zip(object.keys, object.values).map { key, value in
                        (mask.apply(to: key), value.masked(by: mask))
                    }
                )
            )
        }
    }
}
