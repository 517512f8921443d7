import FoundationEssentials
import MasterKit
import Testing

struct DeliveryErrorTests {
    private func error(
        _ status: Int, _ text: String = "", headers: HTTPHeaders = [:], reason: String = "",
        remedy: String? = nil, mask: SecretMask = SecretMask([])
    ) -> DeliveryError? {
        let exchange = HTTPExchange(
            url: "http://h/", status: status, reason: reason, headers: headers,
            body: Array(text.utf8))
        let http = HTTPClient(HTTPClientConfiguration(environment: [:]))
        let context = DeliveryContext(
            id: "msg_test", attempt: 1, logger: Logger(label: "test"),
            secrets: SecretValues(), mask: mask, http: http, session: http.makeSession())
        return DeliveryError(
            answering: HTTPResponse(final: exchange), in: context, remedy: remedy,
            now: Date(timeIntervalSince1970: 784_111_777))
    }

    @Test(arguments: 200...299)
    func `2xx is delivered`(_ status: Int) {
        #expect(error(status) == nil)
    }

    @Test(arguments: [400, 405, 413, 415, 422])
    func `what will never be accepted is rejected`(_ status: Int) {
        #expect(error(status)?.verdict == .reject)
    }

    @Test func `410 closes the endpoint`() {
        #expect(error(410)?.verdict == .endpointGone)
    }

    @Test(arguments: [
        100, 300, 301, 302, 303, 304, 307, 308, 401, 402, 403, 404, 406, 407, 408, 409, 411, 418,
        425, 429, 451, 500, 501, 502, 503, 504, 599,
    ])
    func `everything else is tried again`(_ status: Int) {
        #expect(error(status)?.verdict == .retry(after: nil))
        #expect(error(status)?.status == status)
    }

    @Test(arguments: [
        ("120", 120), ("0", 0), ("3600", 3600), ("3601", 3600),
        ("99999999999999999999999", 3600), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60), ("Sun Nov  6 08:50:37 1994", 60),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0), ("Sun, 06 Nov 2094 08:49:00 GMT", 3600),
    ])
    func `Retry-After is seconds or a date, at most an hour`(_ text: String, _ seconds: Int) {
        #expect(
            error(503, headers: ["Retry-After": text])?.verdict
                == .retry(after: .seconds(seconds)))
    }

    @Test(arguments: ["", "soon", "-5", "1.5", "Sun, 99 Foo 1994", "Sun, 06 Nov 1994 99:99:99 GMT"])
    func `a Retry-After that is neither counts for nothing`(_ text: String) {
        #expect(error(503, headers: ["Retry-After": text])?.verdict == .retry(after: nil))
    }

    @Test(arguments: [
        (
            500, "Internal Server Error", "boom\n  twice\n", nil,
            "the receiver answered 500 Internal Server Error: boom twice"
        ),
        (502, "", "", nil, "the receiver answered 502"),
        (
            403, "Forbidden", "no", "check 'auth'",
            "the receiver answered 403 Forbidden: no; check 'auth'"
        ),
        (404, "Not Found", "", "check 'url'", "the receiver answered 404 Not Found; check 'url'"),
    ])
    func `the reason names the status, the text and the remedy`(
        _ status: Int, _ reason: String, _ text: String, _ remedy: String?, _ expected: String
    ) {
        #expect(error(status, text, reason: reason, remedy: remedy)?.reason == expected)
    }

    @Test func `a long answer is cut, and secrets in it are masked`() {
        let mask = SecretMask([(name: "token", value: "s3cr3t-value")])
        let long = error(500, "s3cr3t-value " + String(repeating: "x", count: 5000), mask: mask)
        #expect(long.map { $0.reason.count < 400 } == true)
        #expect(long?.reason.contains("<token>") == true)
        #expect(long?.responseText?.contains("s3cr3t") == false)
    }
}
