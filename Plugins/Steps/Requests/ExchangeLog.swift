import MasterKit

/// Writes requests and answers into the log of an HTTP step.
struct ExchangeLog {
    let log: any StepLog
    let requestHeaders: HeaderListing
    let responseHeaders: HeaderListing

    private static let rule = String(repeating: "=", count: 60)

    /// Says what is about to be sent, with what is told of it below titles.
    func begin(
        _ request: HTTPRequest, _ sections: [(title: String, lines: [String])]
    ) async throws {
        let address = HTTPAddress.withoutUser(request.url)
        let lines = ["Performing \(request.method) request to \(address)"]
        try await write(
            lines + sections.flatMap { section($0.title, $0.lines) }, to: .header)
    }

    /// Writes all hops of a request, the last one being the final answer.
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

    /// Writes why there is no answer, and what was exchanged before.
    ///
    /// - Parameters:
    ///   - error: Why.
    ///   - showsContent: Whether the bodies of answers may be written: there may be a secret in them
    ///     that is not known.
    /// - Throws: What writing the log throws.
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

    /// The settings that limit what a request may take.
    private static let limits: [HTTPError.Code: String] = [
        .tooLarge: "max_size", .tooManyRedirects: "max_redirects", .connectTimeout: "timeout",
        .silenceTimeout: "timeout",
    ]

    /// Says that the request is sent again.
    ///
    /// - Parameters:
    ///   - attempt: The number of the next try.
    ///   - count: How many tries there are.
    ///   - wait: The time until then.
    ///   - isAskedFor: Whether the server asked for the time.
    /// - Throws: What writing the log throws.
    func announce(
        _ attempt: Int, of count: Int, in wait: Duration, isAskedFor: Bool
    ) async throws {
        let reason = isAskedFor ? ", as Retry-After asks" : ""
        try await log.line(
            "Try \(attempt) of \(count) follows in \(wait.inSeconds)\(reason)", to: .header)
    }

    /// Writes what was taken from the answer, and what was looked for in vain.
    func findings(_ findings: Extraction.Findings) async throws {
        let values = findings.values.map { "\($0.property): \($0.value)" }
        try await write(section("Properties", values), to: .header)
        for (property, reason) in findings.missing {
            try await log.line("The property '\(property)' is missing: \(reason)", to: .stderr)
        }
    }

    /// Writes what went over the wire before a fault.
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

    /// Writes lines of one channel at once.
    private func write(_ lines: [String], to channel: LogChannel) async throws {
        guard !lines.isEmpty else { return }
        try await log.line(lines.map { "\($0)\n" }.joined(), to: channel)
    }
}
