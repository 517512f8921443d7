import MasterKit

/// The settings with which a reporter reaches its receiver, and the way it sends a request there.
struct ReporterConnection: Settings {
    @Setting("How long to wait to connect and for an answer; by default 10 s and 30 s in all.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether, or against which authorities, the receiver's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("The client certificate.")
    var cert: Renderable<ClientCertificate?>

    @Setting("Log each request and its answer.")
    var debug = false

    /// Sends a request with these settings; a redirect is not followed.
    ///
    /// - Throws: ``DeliveryError`` if there is no response.
    func send(_ wanted: HTTPRequest, in context: DeliveryContext) async throws -> HTTPResponse {
        var request = wanted
        request.recordsRequestHeaders = debug
        request.tls = HTTPTLS(try context.render(verify), try context.render(cert))
        request.timeout = HTTPTimeout(reporting: try context.render(timeout))
        request.redirects = .none
        let started = ContinuousClock.now
        do {
            let response = try await context.send(request)
            log(started, context) {
                Transcript(of: request, answered: response, hiding: context.mask)
            }
            return response
        } catch {
            try Task.checkCancellation()
            let reason = context.mask.apply(to: error.message)
            log(started, context) {
                Transcript(of: request, failing: error.message, hiding: context.mask)
            }
            throw DeliveryError(.retry(after: nil), reason)
        }
    }

    private func log(
        _ start: ContinuousClock.Instant, _ context: DeliveryContext,
        _ transcript: () -> Transcript
    ) {
        guard debug else { return }
        context.logger.info("\(transcript().text(elapsed: .now - start))")
    }
}

extension HTTPTimeout {
    /// The timeouts of a reporter, including a total limit.
    fileprivate init(reporting limits: TimeLimits?) {
        let connect = limits?.connect ?? .seconds(10)
        let read = limits?.read ?? .seconds(30)
        self.init(
            connect: connect, silence: read,
            total: limits == nil ? .seconds(30) : connect + read)
    }
}
