import MasterKit

/// A report at rest is one line of JSON; what is read back is sent with the same bytes.
extension Report {
    /// The report as it stands in the row of its delivery.
    var stored: String {
        var object: JSONObject = [
            "subject": .optional(subject), "results": .optional(results?.rawValue),
            "builds": .array(buildIDs.map { .int($0) }),
        ]
        switch body {
        case .json(let value):
            object["json"] = value
        case .text(let text, let contentType):
            object["contentType"] = .string(contentType)
            object["text"] = .string(text)
        }
        return JSONWriter.compact.string(.object(object))
    }

    /// Reads what this program wrote, however large it is.
    private static let parser = JSONParser(
        maximumDepth: 520,
        maximumByteCount: .max,
        maximumValueCount: .max
    )

    /// Reads a report back from its row.
    init(stored text: String) throws(DeliveryFault) {
        let object: JSONObject?
        do {
            object = try Self.parser.parse(text).objectValue
        } catch {
            throw DeliveryFault("the stored report cannot be read: \(error)")
        }
        guard let object, let body = Body(stored: object) else {
            throw DeliveryFault("the stored report has no body")
        }
        self.init(
            body: body,
            subject: object["subject"]?.stringValue,
            results: object["results"]?.intValue.flatMap(Results.init(rawValue:)),
            buildIDs: object["builds"]?.arrayValue?.compactMap(\.intValue) ?? []
        )
    }
}

extension Report.Body {
    fileprivate init?(stored object: JSONObject) {
        if let value = object["json"] {
            self = .json(value)
        } else if let text = object["text"]?.stringValue,
            let contentType = object["contentType"]?.stringValue
        {
            self = .text(text, contentType: contentType)
        } else {
            return nil
        }
    }
}
