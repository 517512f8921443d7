internal import MasterKit

/// What a client wants of a resource: which rows, in which order, and which of their fields.
struct DataQuery: Sendable {
    /// A condition on a field.
    struct Filter: Sendable {
        let field: Field
        let test: Test
        let values: [Value]
    }

    /// A comparison with the values of a filter.
    enum Test: String, Sendable {
        /// Any of the values.
        case equal = "eq"
        /// None of the values.
        case unequal = "ne"
        case less = "lt"
        case atMost = "le"
        case greater = "gt"
        case atLeast = "ge"
        /// Any of the values as a part, or as an element.
        case contains

        init?(_ name: String) {
            switch name {
            case "in": self = .equal
            case "notin": self = .unequal
            default: self.init(rawValue: name)
            }
        }
    }

    /// A value to compare with.
    enum Value: Sendable, Hashable {
        case null
        case int(Int)
        case bool(Bool)
        case string(String)
    }

    /// A field that rows are ordered by.
    struct Order: Sendable {
        let field: Field
        let isDescending: Bool
    }

    /// The most items of a query: SQLite has such limits, too.
    private static let maximumItemCount = 5000
    /// The most values of a filter that takes a comparison for each.
    private static let maximumComparisonCount = 200

    let resource: Resource
    private(set) var filters: [Filter] = []
    private(set) var orders: [Order] = []
    /// The fields of the answer, in its order.
    private(set) var fields: [Field]
    /// The properties that a field with properties has; `*` stands for all.
    private(set) var properties: Set<String> = []
    private(set) var limit: Int?
    private(set) var offset = 0

    init(
        _ items: [(name: String, value: String)], of resource: Resource
    ) throws(DataError) {
        guard items.count <= Self.maximumItemCount else {
            throw DataError(
                .badRequest, "a query has at most \(Self.maximumItemCount) parameters")
        }
        self.resource = resource
        fields = resource.sortedFields
        var selected: Set<String> = []
        var limits: (Int?, Int?) = (nil, nil)
        var conditions: [(name: String, values: [String])] = []
        for (name, value) in items {
            switch name {
            case "field":
                guard resource.field(value) != nil else { throw .noField(value) }
                selected.insert(value)
            case "order":
                let isDescending = value.hasPrefix("-")
                let name = isDescending ? String(value.dropFirst()) : value
                guard let field = resource.field(name) else { throw .noField(name) }
                orders.append(Order(field: field, isDescending: isDescending))
            case "property": properties.insert(value)
            // The first of several counts.
            case "limit" where limits.0 == nil: limits.0 = try Self.number(value, name)
            case "offset" where limits.1 == nil: limits.1 = try Self.number(value, name)
            case "limit", "offset": break
            default:
                if let index = conditions.firstIndex(where: { $0.name == name }) {
                    conditions[index].values.append(value)
                } else {
                    conditions.append((name, [value]))
                }
            }
        }
        if let count = limits.0, count >= 0 { limit = count }
        offset = max(0, limits.1 ?? 0)
        for (name, values) in conditions {
            if let filter = try Self.filter(name, values, of: resource) { filters.append(filter) }
        }
        guard !selected.isEmpty else { return }
        fields.removeAll { !selected.contains($0.name) }
        guard filters.allSatisfy({ selected.contains($0.field.name) }) else {
            throw DataError(.badRequest, "cannot filter on un-selected fields")
        }
        guard orders.allSatisfy({ selected.contains($0.field.name) }) else {
            throw DataError(.badRequest, "cannot order on un-selected fields")
        }
    }

    private static func number(_ text: String, _ name: String) throws(DataError) -> Int {
        guard let number = Int(text) else { throw DataError(.badRequest, "invalid \(name)") }
        return number
    }

    private static func filter(
        _ name: String, _ texts: [String], of resource: Resource
    ) throws(DataError) -> Filter? {
        var (key, test) = (name, Test.equal)
        if let mark = name.range(ofLast: "__"), resource.field(name) == nil {
            guard let found = Test(String(name[mark.upperBound...])) else {
                throw .unrecognized(name)
            }
            (key, test) = (String(name[..<mark.lowerBound]), found)
        }
        guard let field = resource.field(key) else { throw .unrecognized(name) }
        var values: [Value] = []
        for text in texts {
            guard let value = field.type.value(text, for: test) else {
                throw DataError(.badRequest, "invalid filter value for \(name)")
            }
            values.append(value)
        }
        let isCheap = if case .time = field.column { false } else { test != .contains }
        guard isCheap || values.count <= maximumComparisonCount else {
            throw DataError(
                .badRequest, "'\(name)' has at most \(maximumComparisonCount) values")
        }
        switch test {
        case .less, .atMost, .greater, .atLeast:
            // As in Buildbot, a row cannot be compared with several values.
            return values.count == 1 ? Filter(field: field, test: test, values: values) : nil
        case .equal, .unequal, .contains:
            return Filter(field: field, test: test, values: values)
        }
    }
}

extension FieldType {
    /// The value of a text in a query, or `nil` if the type has no such value or comparison.
    fileprivate func value(_ text: String, for test: DataQuery.Test) -> DataQuery.Value? {
        switch (self, test) {
        case (.optional(let type), .equal), (.optional(let type), .unequal):
            if let value = type.value(text, for: test) { return value }
            return text == "null" ? .null : nil
        case (.optional(let type), _): return type.value(text, for: test)
        case (.list(let element), .contains): return element.value(text, for: .equal)
        case (.string, _), (.identifier, _): return .string(text)
        case (_, .contains): return nil
        case (.integer, _), (.datetime, _): return Int(text).map { .int($0) }
        case (.boolean, .equal), (.boolean, .unequal):
            switch text.lowercased() {
            case "on", "true", "yes", "1": return .bool(true)
            case "off", "false", "no", "0": return .bool(false)
            default: return nil
            }
        default: return nil
        }
    }
}

extension String {
    /// The last occurrence of two equal characters.
    fileprivate func range(ofLast pair: String) -> Range<String.Index>? {
        guard utf8.count > pair.utf8.count else { return nil }
        var start = utf8.index(endIndex, offsetBy: -pair.utf8.count)
        while true {
            let end = utf8.index(start, offsetBy: pair.utf8.count)
            if utf8[start..<end].elementsEqual(pair.utf8) { return start..<end }
            guard start > startIndex else { return nil }
            start = utf8.index(before: start)
        }
    }
}
