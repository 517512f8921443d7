/// A measured number with its unit.
struct Figure: Sendable {
    enum Unit: Sendable {
        case milliseconds
        case microseconds
        case perSecond
        case megabytes
        case megabytesPerSecond
    }

    let value: Double
    let unit: Unit

    /// The median of several values.
    static func median(_ values: [Double], _ unit: Unit) -> Figure {
        precondition(!values.isEmpty, "a median needs a measurement")
        return Figure(value: values.sorted()[values.count / 2], unit: unit)
    }
}

extension Figure: CustomStringConvertible {
    var description: String {
        let text = value >= 1000 ? "\(Int(value))" : Decimals.text(value, value >= 100 ? 0 : 2)
        return switch unit {
        case .milliseconds: "\(text) ms"
        case .microseconds: "\(text) µs"
        case .perSecond: "\(text) /s"
        case .megabytes: "\(text) MB"
        case .megabytesPerSecond: "\(text) MB/s"
        }
    }
}

/// Formats decimal numbers for display.
enum Decimals {
    /// The number with the given number of decimal places.
    static func text(_ value: Double, _ digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((value.magnitude * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
        let sign = value < 0 ? "-" : ""
        return digits == 0 ? "\(sign)\(scaled)" : "\(sign)\(scaled / scale).\(zeros)\(fraction)"
    }
}
