import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

struct HTTPRequestSettingsTests {
    private func request(_ settings: String) async throws -> HTTPRequest {
        let step = try GET.configured(yaml: "{url: 'http://h/', \(settings)}")
        let harness = try StepHarness(properties: ["ca": "/tmp", "seconds": 7])
        let context = StepContext(
            name: "GET", number: 1, logger: Logger(label: "test"), host: harness)
        return try step.request.request(.get, to: HTTPAddress("http://h/"), in: context)
    }

    @Test(arguments: [
        ("", HTTPTimeout()),
        ("timeout: 3", HTTPTimeout(connect: .seconds(3), silence: .seconds(3))),
        ("timeout: 1.5", HTTPTimeout(connect: .seconds(1.5), silence: .seconds(1.5))),
        ("timeout: [3, 2m]", HTTPTimeout(connect: .seconds(3), silence: .seconds(120))),
        ("timeout: [null, 2m]", HTTPTimeout(silence: .seconds(120))),
        ("timeout: [3, null]", HTTPTimeout(connect: .seconds(3))),
        (
            "timeout: [!Property seconds, 9]",
            HTTPTimeout(connect: .seconds(7), silence: .seconds(9))
        ),
        ("timeout: null", HTTPTimeout()),
    ])
    func `timeout limits connecting and silence`(
        _ settings: String, _ expected: HTTPTimeout
    ) async throws {
        #expect(try await request(settings).timeout == expected)
    }

    static let demands: [(String, HTTPTLS?)] = [
        ("", nil),
        ("verify: true", HTTPTLS()),
        ("verify: false", HTTPTLS(verification: .off)),
        ("verify: /dev/null", HTTPTLS(verification: .authorities(path: "/dev/null"))),
        ("verify: !Property ca", HTTPTLS(verification: .authorities(path: "/tmp"))),
        ("cert: /dev/null", HTTPTLS(clientCertificate: "/dev/null")),
        ("cert: [/dev/null, /dev/zero]", HTTPTLS(clientCertificate: "/dev/null", key: "/dev/zero")),
        (
            "verify: false, cert: /dev/null",
            HTTPTLS(verification: .off, clientCertificate: "/dev/null")
        ),
        ("verify: null, cert: null", nil),
    ]

    @Test(arguments: demands)
    func `verify and cert say what is asked of certificates`(
        _ settings: String, _ expected: HTTPTLS?
    ) async throws {
        #expect(try await request(settings).tls == expected)
    }

    static let routes: [(String, HTTPProxies?)] = [
        ("", nil),
        ("proxies: {}", .map([:])),
        (
            "proxies: {http: 'http://p:1', HTTPS: p:2}",
            .map(["http": "http://p:1", "https": "p:2"])
        ),
        (
            "proxies: {all://h: 'socks5h://p', https: null}",
            .map(["all://h": "socks5h://p", "https": ""])
        ),
    ]

    @Test(arguments: routes)
    func `proxies are chosen by scheme and host`(
        _ settings: String, _ expected: HTTPProxies?
    ) async throws {
        #expect(try await request(settings).proxies == expected)
    }
}
