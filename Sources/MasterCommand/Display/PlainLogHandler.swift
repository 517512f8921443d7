internal import FoundationEssentials
internal import Logging
internal import MasterKit
internal import Synchronization

/// Writes log messages to standard error, one per line: level, message, metadata.
struct PlainLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    private let console: Console
    private let loggedErrors: LoggedErrors
    /// Whether lines begin with the time.
    private let hasTime: Bool

    init(
        _ console: Console, level: Logger.Level, noting loggedErrors: LoggedErrors,
        withTime hasTime: Bool = false
    ) {
        self.console = console
        self.loggedErrors = loggedErrors
        self.hasTime = hasTime
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if event.level >= .error { loggedErrors.note("\(event.message)") }
        let all = metadata(of: event)
        let paint = TextPainter(hasColour: console.error.hasColour)
        var lines = Self.lines(event.level, "\(event.message)", all, paint)
        if hasTime { lines[0] = "\(Date().formatted(.iso8601)) \(lines[0])" }
        console.post(lines)
    }

    /// The lines of a message, the first with the metadata; the others are indented.
    static func lines(
        _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata,
        _ paint: TextPainter
    ) -> [String] {
        let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let suffix = pairs.isEmpty ? "" : " (" + pairs.joined(separator: ", ") + ")"
        let lines = message.lines
        let visible = ([(lines.first ?? "") + suffix] + lines.dropFirst())
            .map { $0.makingControlsVisible(keepingTabs: true) }
        return visible.enumerated().map { index, line in
            index == 0 ? paint(style(of: level), "\(level.rawValue):") + " " + line : "  " + line
        }
    }

    private static func style(of level: Logger.Level) -> TextStyle {
        switch level {
        case .trace, .debug: .dim
        case .info, .notice: .cyan
        case .warning: .boldYellow
        case .error, .critical: .boldRed
        }
    }
}

extension LogHandler {
    /// The metadata of a message with that of its logger.
    fileprivate func metadata(of event: LogEvent) -> Logger.Metadata {
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        return all
    }
}

/// Writes log messages to standard error, one JSON object per line.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    private let console: Console

    init(_ console: Console, level: Logger.Level) {
        self.console = console
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata(of: event)
        var line: JSONObject = [
            "time": .string(Date().formatted(.iso8601)), "level": .string(event.level.rawValue),
            "message": .string("\(event.message)"),
        ]
        for (key, value) in all.sorted(by: { $0.key < $1.key }) where line[key] == nil {
            line[key] = .string("\(value)")
        }
        console.post([JSONWriter.compact.string(.object(line))])
    }
}

/// The errors that were logged, so that the end of a run does not repeat them.
final class LoggedErrors: Sendable {
    /// The maximum number of messages recorded.
    private static let bound = 64

    private let messages = Mutex<[String]>([])

    /// Records a message.
    func note(_ message: String) {
        messages.withLock { messages in
            if messages.count == Self.bound { messages.removeFirst() }
            messages.append(message)
        }
    }

    /// Whether a recorded message contains a sentence.
    func contain(_ sentence: String) -> Bool {
        messages.withLock { $0.contains { $0.contains(sentence) } }
    }
}
