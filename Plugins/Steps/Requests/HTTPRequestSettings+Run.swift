import MasterKit

extension HTTPRequestSettings {
    /// Sends the request and writes what went over the wire into the logs `log` and `content`.
    ///
    /// - Returns: Success below status 400; failure from there on, when there is no answer, and
    ///   when what the address came out as is none.
    func run(_ method: HTTPMethod, in context: StepContext) async throws -> Results {
        let address: String
        do {
            address = try context.render(url).text
        } catch {
            let log = try await context.openLog("log")
            try await log.line("The request failed: \(error)", to: .stderr)
            return .failure
        }
        return try await run(method, to: address, in: context)
    }

    private func run(
        _ method: HTTPMethod, to address: String, in context: StepContext
    ) async throws -> Results {
        let request = try await request(method, to: address, in: context)
        let log = ExchangeLog(
            log: try await context.openLog("log"),
            requestHeaders: HeaderListing(hiding: try context.render(hideRequestHeaders)),
            responseHeaders: HeaderListing(hiding: try context.render(hideResponseHeaders)))
        try await log.begin(
            request, absentParameters: try context.render(params)?.absentNames ?? [],
            absentFields: try context.render(data)?.absentNames ?? [])
        do {
            let status =
                try context.render(stream)
                ? try await stream(request, log, in: context)
                : try await send(request, log, in: context)
            await context.setSummary("Status code: \(status)")
            return status < 400 ? .success : .failure
        } catch let error as HTTPError {
            try Task.checkCancellation()
            try await log.fault(error)
            return .failure
        }
    }

    private func send(
        _ request: HTTPRequest, _ log: ExchangeLog, in context: StepContext
    ) async throws -> Int {
        let response = try await context.send(request)
        let contents = response.exchanges.map { LoggedContent($0) }
        try await log.exchanges(response.exchanges, contents)
        for content in contents {
            try await content.write(to: context.openLog("content"))
        }
        return response.status
    }

    /// Sends the request; the answer goes into the log `content` as it comes.
    private func stream(
        _ request: HTTPRequest, _ log: ExchangeLog, in context: StepContext
    ) async throws -> Int {
        let content = StreamedContent(log: try await context.openLog("content"))
        let response = try await context.send(request) { piece in
            try await content.take(piece[...])
        }
        let contents = response.history.map { LoggedContent($0) }
        let final = LoggedContent(elsewhere: content.byteCount, of: response.final)
        try await log.exchanges(response.exchanges, contents + [final])
        if content.isBinary { try await final.write(to: content.log) }
        return response.status
    }
}
