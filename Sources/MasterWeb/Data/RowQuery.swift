internal import MasterKit

extension DataQuery {
    /// Applies the query to rows that the master has made, which are few.
    ///
    /// - Parameter rows: Records with all their fields.
    /// - Returns: The wanted rows with the wanted fields, and the number of rows of all pages.
    func apply(to rows: [JSONObject]) -> (rows: [JSONValue], total: Int) {
        var found = rows.filter { row in filters.allSatisfy { $0.accepts(row[$0.field.name]) } }
        for order in orders.reversed() {
            // Sorting is stable, so that the first order is the primary one.
            found.sort { one, other in
                let (one, other) = (one[order.field.name], other[order.field.name])
                return order.isDescending
                    ? (other ?? .null).precedes(one ?? .null)
                    : (one ?? .null).precedes(other ?? .null)
            }
        }
        let page = found.dropFirst(offset).prefix(limit ?? .max)
        return (page.map(select), found.count)
    }

    /// The wanted fields of a record.
    func select(_ row: JSONObject) -> JSONValue {
        .object(JSONObject(fields.map { ($0.name, row[$0.name] ?? .null) }))
    }
}

extension DataQuery.Filter {
    fileprivate func accepts(_ value: JSONValue?) -> Bool {
        let value = value ?? .null
        switch test {
        case .equal: return values.contains { value == $0.json }
        case .unequal: return !values.contains { value == $0.json }
        case .contains: return values.contains { value.contains($0) }
        case .less: return values.allSatisfy { !value.isNull && value.precedes($0.json) }
        case .atMost: return values.allSatisfy { !value.isNull && !$0.json.precedes(value) }
        case .greater: return values.allSatisfy { !value.isNull && $0.json.precedes(value) }
        case .atLeast: return values.allSatisfy { !value.isNull && !value.precedes($0.json) }
        }
    }
}

extension DataQuery.Value {
    fileprivate var json: JSONValue {
        switch self {
        case .null: .null
        case .int(let number): .int(number)
        case .bool(let isTrue): .bool(isTrue)
        case .string(let text): .string(text)
        }
    }
}

extension JSONValue {
    /// Whether it comes before another value of the same type in ascending order; null comes last.
    fileprivate func precedes(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.null, _): false
        case (_, .null): true
        case (.number(let one), .number(let other)): one.doubleValue < other.doubleValue
        case (.string(let one), .string(let other)): one < other
        case (.bool(let one), .bool(let other)): !one && other
        default: false
        }
    }

    /// Whether a text contains another one, or a list has an element.
    fileprivate func contains(_ part: DataQuery.Value) -> Bool {
        switch self {
        case .array(let elements): elements.contains(part.json)
        case .string(let text):
            if case .string(let part) = part { part.isEmpty || text.contains(part) } else { false }
        default: false
        }
    }
}
