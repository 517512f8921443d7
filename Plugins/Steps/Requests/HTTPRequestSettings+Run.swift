import MasterKit

extension HTTPRequestSettings {
    /// Sends the request and writes what went over the wire into the logs `log` and `content`.
    ///
    /// - Returns: Success when the status is one; failure when it is none, when there is no answer,
    ///   when a part of it is wanted that is not there, and when what the address came out as is
    ///   none.
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
        let streams = try context.render(stream)
        let extraction = try context.render(extract)
        if streams, extraction?.needsBody == true { throw RequestConflict.streamAndExtract }
        let request = try await request(method, to: address, in: context)
        let log = ExchangeLog(
            log: try await context.openLog("log"),
            requestHeaders: HeaderListing(hiding: try context.render(hideRequestHeaders)),
            responseHeaders: HeaderListing(hiding: try context.render(hideResponseHeaders)))
        try await log.begin(
            request, absentParameters: try context.render(params)?.absentNames ?? [],
            absentFields: try context.render(data)?.absentNames ?? [])
        let run = RequestRun(
            request: request, context: context, log: log, streams: streams,
            streamLimit: try context.render(maxSize)?.bytes,
            success: try context.render(success), extraction: extraction,
            retry: RequestRetry(try context.render(retry), for: method))
        return try await run.run()
    }
}
