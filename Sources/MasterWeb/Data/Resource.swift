internal import MasterKit

/// A kind of record: its names, its fields, and where they come from.
struct Resource: Sendable {
    /// The name of the type, such as `build`.
    let type: String
    /// The key of the records in an answer, such as `builds`.
    let plural: String
    /// The fields in the order of the specification.
    let fields: [Field]
    /// The fields in the order of answers.
    let sortedFields: [Field]
    /// The table of the store that has its rows, or `nil` if the master makes them.
    let table: String?

    /// Whether the newest rows come first unless the client wants another order.
    let isNewestFirst: Bool

    init(
        _ type: String, _ plural: String, table: String? = nil, isNewestFirst: Bool = false,
        _ fields: [Field]
    ) {
        self.type = type
        self.plural = plural
        self.fields = fields
        self.table = table
        self.isNewestFirst = isNewestFirst
        sortedFields = fields.sorted { $0.name < $1.name }
    }

    /// The field with the id, by which rows are ordered unless the client wants another order.
    var key: Field { fields.first { $0.name.hasSuffix("id") } ?? fields[0] }

    func field(_ name: String) -> Field? { fields.first { $0.name == name } }
}

/// A field of records.
struct Field: Sendable {
    let name: String
    let type: FieldType
    let column: Column

    init(_ name: String, _ type: FieldType, _ column: Column = .value("NULL")) {
        self.name = name
        self.type = type
        self.column = column
    }
}

/// Where a field's values come from in the store.
enum Column: Sendable {
    /// An expression.
    case value(String)
    /// A column of seconds since 1970, with fractions.
    case time(String)
    /// A condition, and its opposite.
    case condition(String, not: String)
    /// An expression that gives JSON.
    case json(String)
    /// Properties, of which only those are read that the client wants: those of the row, and those
    /// that have changed since.
    case properties(String, changed: String?)
}

/// The type of a field, as the specification of the API names it.
indirect enum FieldType: Sendable {
    case integer
    case string
    case identifier
    case boolean
    case datetime
    case json
    case binary
    case properties
    case list(FieldType)
    case record(String, [Field])
    case optional(FieldType)

    /// The name in the specification.
    var name: String {
        switch self {
        case .integer: "integer"
        case .string: "string"
        case .identifier: "identifier"
        case .boolean: "boolean"
        case .datetime: "datetime"
        case .json: "jsonobject"
        case .binary: "binary"
        case .properties: "sourcedproperties"
        case .list: "list"
        case .record(let name, _): name
        case .optional(let type): "\(type.name) or None"
        }
    }

    /// The description in the specification.
    var specification: JSONObject {
        switch self {
        case .list(let element): ["of": .object(element.specification), "type": "list"]
        case .record(let name, let fields):
            ["fields": .array(fields.map { .object($0.specification) }), "type": .string(name)]
        case .optional(let type):
            JSONObject([("can_be_null", true)] + type.specification.map { ($0.key, $0.value) })
        default: ["name": .string(name)]
        }
    }

    /// The type of values that are not null.
    var base: FieldType {
        if case .optional(let type) = self { type } else { self }
    }

    var isOptional: Bool {
        if case .optional = self { true } else { false }
    }
}

extension Field {
    var specification: JSONObject {
        [
            "name": .string(name), "type": .string(type.name),
            "type_spec": .object(type.specification),
        ]
    }
}

extension Resource {
    var specification: JSONObject {
        if case .properties = fields.first?.type, type == "sourcedproperties" {
            return FieldType.properties.specification
        }
        return [
            "fields": .array(fields.map { .object($0.specification) }), "type": .string(type),
        ]
    }
}

extension Column {
    /// Whether a column of the store has a value.
    static func isSet(_ column: String) -> Column {
        .condition("\(column) IS NOT NULL", not: "\(column) IS NULL")
    }
}
