public import FoundationEssentials

extension HTTPResponse {
    /// Returns how long the server asks to wait before the next request, by its header
    /// `Retry-After`.
    ///
    /// - Parameters:
    ///   - now: The current time, for a header with a date.
    ///   - longest: The longest wait to return.
    /// - Returns: The wait, or `nil` if the header is missing or cannot be understood.
    public func retryAfter(
        now: Date = .now, limit longest: Duration = .seconds(3600)
    ) -> Duration? {
        headers["Retry-After"].flatMap { RetryAfter.duration($0, now: now, limit: longest) }
    }
}

/// The values of the header `Retry-After`.
enum RetryAfter {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Parses seconds or a date; returns `nil` if it is neither.
    static func duration(
        _ text: String, now: Date, limit longest: Duration
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
