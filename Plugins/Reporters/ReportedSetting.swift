import MasterKit

/// A setting of a reporter that may be rendered for each report, from the same variables as
/// `format` and from secrets.
struct ReportedSetting<Value: SettingValue>: SettingValue, RenderableValue {
    let value: Renderable<Value>
    /// The parts of a report that the value depends on; empty if it is the same for all reports.
    let uses: ReportUses

    init(_ value: Value) {
        self.value = Renderable(value)
        uses = ReportUses()
    }

    private init(_ value: Renderable<Value>, _ uses: ReportUses) {
        self.value = value
        self.uses = uses
    }

    static var shape: String { Value.shape }

    static var absent: ReportedSetting<Value>? { Value.absent.map { ReportedSetting($0) } }

    static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ReportedSetting<Value>? {
        let count = decoder.templateUses.count
        var (value, uses) = decoder.readingForReports {
            decoder.decode(Renderable<Value>.self, from: node)
        }
        for use in decoder.templateUses[count...] {
            if let fault = ReportVariables.fault(in: use.path) {
                decoder.error(fault, at: use.range)
            }
        }
        if !uses.isEmpty {
            uses.details = BuildDetails(usedBy: [], uses.variables.sorted { $0.count < $1.count })
        }
        return value.map { ReportedSetting($0, uses) }
    }
}

/// The setting `method` of a reporter.
enum ReportMethod: String, SettingEnumeration {
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"

    var method: HTTPMethod { HTTPMethod(rawValue: rawValue) }
}

/// The setting `encoding` of a reporter: how the value of `format` is sent.
enum BodyEncoding: String, SettingEnumeration {
    case json
    case form
}

extension Report.Body {
    /// The bytes of the body and their content type; an empty body has no type.
    ///
    /// - Throws: ``DeliveryError`` if the body should be a form but is not a mapping.
    func content(as encoding: BodyEncoding) throws -> (bytes: [UInt8], type: String?) {
        switch (self, encoding) {
        case (.empty, _): return ([], nil)
        case (.json(let value), .json):
            return (JSONWriter.compact.bytes(value), "application/json")
        case (.json(.object(let object)), .form):
            let (bytes, type) = HTTPBody.encodedForm(object.fields)
            return (bytes, type)
        case (.json, .form):
            throw DeliveryError(
                .reject, "the body is not a mapping, which 'encoding: form' needs; correct 'format'"
            )
        case (.text(let text, let contentType), _): return (Array(text.utf8), contentType)
        }
    }
}

extension JSONObject {
    /// The fields of a form: a list repeats its name, null is omitted, and a mapping is sent as
    /// JSON.
    fileprivate var fields: [HTTPPair] {
        flatMap { name, value in
            (value.arrayValue ?? [value]).compactMap { item in
                item.isNull ? nil : HTTPPair(name, item.text ?? "")
            }
        }
    }
}
