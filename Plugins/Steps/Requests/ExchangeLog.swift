import MasterKit
import Synchronization

/// Writes requests and responses to the log of an HTTP step.
struct ExchangeLog {
    let log: any StepLog
    let requestHeaders: HeaderListing
    let responseHeaders: HeaderListing

    private static let rule = String(repeating: "=", count: 60)

    /// Writes the request about to be sent, followed by titled sections.
    func begin(
        _ request: HTTPRequest, _ sections: [(title: String, lines: [String])]
    ) async throws {
        let address = HTTPAddress.withoutUser(request.url)
        let lines = ["Performing \(request.method) request to \(address)"]
        try await write(
            lines + sections.flatMap { section($0.title, $0.lines) }, to: .header)
    }

    /// Writes all exchanges of a request, including redirects; the last one is the final response.
    func exchanges(_ exchanges: [HTTPExchange], _ contents: [LoggedContent]) async throws {
        let redirects = exchanges.count - 1
        if redirects > 0 {
            let times = redirects == 1 ? "1 time" : "\(redirects) times"
            try await write(["", "Redirected \(times):", ""], to: .stdout)
        }
        for (index, exchange) in exchanges.enumerated() {
            try await write(exchange, contents[index])
            if index < redirects { try await log.line(Self.rule) }
        }
    }

    /// Writes why there is no response, and the exchanges before that.
    ///
    /// - Parameters:
    ///   - error: The error of the request.
    ///   - showsContent: Whether response bodies may be logged; they may contain an unknown secret.
    /// - Throws: Any error from writing the log.
    func fault(_ error: HTTPError, showsContent: Bool) async throws {
        func content(of exchange: HTTPExchange) -> LoggedContent {
            showsContent ? LoggedContent(exchange) : LoggedContent(withheld: exchange)
        }
        for exchange in error.exchanges {
            try await write(exchange, content(of: exchange))
            try await log.line(Self.rule)
        }
        if let unfinished = error.unfinished {
            try await write(unfinished: unfinished, content(of: unfinished))
        }
        let limit = Self.limits[error.code].map { "; the limit is '\($0)'" } ?? ""
        try await log.line("The request failed: \(error.message)\(limit)", to: .stderr)
    }

    /// The settings that limit a request, by error.
    private static let limits: [HTTPError.Code: String] = [
        .tooLarge: "max_size", .tooManyRedirects: "max_redirects", .connectTimeout: "timeout",
        .silenceTimeout: "timeout",
    ]

    /// Announces a retry.
    ///
    /// - Parameters:
    ///   - attempt: The number of the next attempt.
    ///   - count: The total number of attempts.
    ///   - wait: The time until then.
    ///   - isAskedFor: Whether the server requested the delay.
    /// - Throws: Any error from writing the log.
    func announce(_ attempt: Int, of count: Int, in wait: Duration, isAskedFor: Bool) async throws {
        let reason = isAskedFor ? ", as Retry-After asks" : ""
        try await log.line(
            "Try \(attempt) of \(count) follows in \(wait.inSeconds)\(reason)", to: .header)
    }

    /// Writes why a response with a good status is not a success.
    func refusal(_ reason: String) async throws {
        try await log.line("The answer is not a success: \(reason)", to: .stderr)
    }

    /// Writes the values extracted from the response, and those that were not found.
    func findings(_ findings: Extraction.Findings) async throws {
        let values = findings.values.map { "\($0.property): \($0.value)" }
        try await write(section("Properties", values), to: .header)
        for (property, reason) in findings.missing {
            try await log.line("The property '\(property)' is missing: \(reason)", to: .stderr)
        }
    }

    /// Writes the exchange before an error.
    private func write(unfinished: HTTPExchange, _ content: LoggedContent) async throws {
        guard unfinished.status == 0 else { return try await write(unfinished, content) }
        try await writeRequest(of: unfinished)
    }

    private func writeRequest(of exchange: HTTPExchange) async throws {
        try await write(
            section("Request Headers", requestHeaders.lines(exchange.requestHeaders)), to: .header)
        try await log.line("URL: \(exchange.url)")
    }

    private func write(_ exchange: HTTPExchange, _ content: LoggedContent) async throws {
        try await writeRequest(of: exchange)
        let isGood = exchange.isSuccess
        try await log.line("Status: \(exchange.status)", to: isGood ? .stdout : .stderr)
        try await write(
            section("Response Headers", responseHeaders.lines(exchange.headers)), to: .header)
        try await log.line(" ------ Content ------")
        try await content.write(to: log)
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : ["\(title):"] + lines.map { "\t\($0)" }
    }

    /// Writes lines to a channel in one call.
    private func write(_ lines: [String], to channel: LogChannel) async throws {
        guard !lines.isEmpty else { return }
        try await log.line(lines.map { "\($0)\n" }.joined(), to: channel)
    }
}

/// A response body as logged: text, or size and type.
enum LoggedContent {
    case nothing
    case text([UInt8])
    case note(String)

    /// Reads a complete body.
    init(_ exchange: HTTPExchange) {
        if exchange.body.isEmpty {
            self = .nothing
        } else if exchange.body.contains(0) {
            self = .note(Self.size(exchange.body.count, exchange))
        } else if String(validating: exchange.body, as: UTF8.self) != nil {
            self = .text(exchange.body)
        } else if !exchange.text.contains("\u{FFFD}") {
            self = .text(Array(exchange.text.utf8))
        } else {
            self = .note(Self.size(exchange.body.count, exchange))
        }
    }

    /// Represents a body that may contain a secret that was not found in it.
    init(withheld exchange: HTTPExchange) {
        self =
            exchange.body.isEmpty
            ? .nothing
            : .note(
                Self.size(exchange.body.count, exchange)
                    + ", not shown: 'extract' looks for a secret in it")
    }

    /// Represents a body that was written to another log.
    init(elsewhere byteCount: Int, of exchange: HTTPExchange) {
        self = byteCount == 0 ? .nothing : .note(Self.size(byteCount, exchange))
    }

    /// Writes the content, followed by a line break.
    func write(to log: any StepLog) async throws {
        switch self {
        case .nothing: break
        case .note(let note): try await log.line(note, to: .header)
        case .text(let bytes): try await log.line(bytes)
        }
    }

    private static func size(_ byteCount: Int, _ exchange: HTTPExchange) -> String {
        let type = exchange.headers["Content-Type"] ?? "an unknown type"
        return "\(byteCount) bytes of \(type)"
    }
}

/// Writes a body to a log as it arrives, until it turns out to be binary.
final class StreamedContent: Sendable {
    let log: any StepLog
    private let limit: Int?
    private let state = Mutex((byteCount: 0, isBinary: false))

    init(log: any StepLog, limit: Int? = nil) {
        self.log = log
        self.limit = limit
    }

    /// The number of bytes received.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Whether a zero byte was received, after which nothing is logged.
    var isBinary: Bool { state.withLock { $0.isBinary } }

    /// Receives the next piece.
    ///
    /// - Throws: Any error from writing the log, or `HTTPError` if the limit is exceeded.
    func take(_ piece: ArraySlice<UInt8>) async throws {
        let (byteCount, isBinary) = state.withLock { state in
            state.byteCount += piece.count
            state.isBinary = state.isBinary || piece.contains(0)
            return state
        }
        if let limit, byteCount > limit {
            throw HTTPError(
                .tooLarge,
                "the answer has more than \(limit) bytes; raise the limit if such an "
                    + "answer is expected", mayHaveArrived: true)
        }
        if !isBinary { try await log.write(piece, to: .stdout) }
    }
}
