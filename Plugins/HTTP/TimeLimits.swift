import FoundationEssentials
import MasterKit

/// The setting `timeout` of requests: one duration, or separate ones to connect and between bytes.
struct TimeLimits: SettingValue {
    let connect: Duration?
    let read: Duration?

    static var shape: String { "a duration such as 30 or 5m, or [connect, read]" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TimeLimits? {
        guard node.sequence != nil else {
            return decoder.decode(TimeLimit.self, from: node).map {
                TimeLimits(connect: $0.duration, read: $0.duration)
            }
        }
        guard let pair = decoder.pair(node, shape: shape) else { return nil }
        let connect = decoder.decode(TimeLimit?.self, from: pair.0)
        let read = decoder.decode(TimeLimit?.self, from: pair.1)
        guard let connect, let read else { return nil }
        return TimeLimits(connect: connect?.duration, read: read?.duration)
    }
}

/// A duration that is not zero.
struct TimeLimit: SettingValue {
    let duration: Duration

    static var shape: String { Duration.shape }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TimeLimit? {
        guard let duration = Duration.decode(node, with: decoder) else { return nil }
        guard duration > .zero else {
            return decoder.error(
                "a time limit can't be 0; omit it for the default",
                at: node.range)
        }
        return TimeLimit(duration: duration)
    }
}

/// The header `Retry-After`: how long to wait before the next request.
enum RetryAfter {
    /// The maximum delay of a report.
    static let longest = Duration.seconds(3600)

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Parses seconds or a date; returns `nil` if it is neither.
    static func duration(
        _ text: String, now: Date, limit longest: Duration = longest
    ) -> Duration? {
        let text = text.split(separator: " ").joined(separator: " ")
        if !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            return Int32(text).map { min(.seconds($0), longest) } ?? longest
        }
        guard let date = date(text) else { return nil }
        let seconds = date.timeIntervalSince(now)
        return min(max(.zero, .seconds(seconds)), longest)
    }

    /// Parses the three date formats of RFC 9110.
    private static func date(_ text: String) -> Date? {
        var words = text.split { " ,-".contains($0) }.dropFirst().map(String.init)
        guard words.count >= 4 else { return nil }
        if months.contains(words[0]) { words = [words[1], words[0], words[3], words[2]] }
        let time = words[3].split(separator: ":").compactMap { Int($0) }
        guard let month = months.firstIndex(of: words[1]), let day = Int(words[0]),
            let year = Int(words[2]), time.count == 3, (1...31).contains(day),
            (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0...60).contains(time[2])
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let century = words[2].count == 2 ? (year < 70 ? 2000 : 1900) : 0
        return calendar.date(
            from: DateComponents(
                year: year + century, month: month + 1, day: day, hour: time[0], minute: time[1],
                second: time[2]))
    }
}
