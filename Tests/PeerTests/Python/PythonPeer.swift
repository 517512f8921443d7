import MasterKit
import Synchronization

/// Python with `requests`, `httpbin` and HTTPS servers, in one process for all tests.
///
/// It exits with the test process, which closes its standard input.
final class PythonPeer: Sendable {
    /// The outcome of a request with `requests`.
    struct Answer: Sendable {
        /// The status of the final response, or `nil` if the library raised an exception.
        let status: Int?
        /// The statuses of the redirects.
        let hops: [Int]
        let text: String
        /// The class name of the exception raised by the library.
        let error: String?
    }

    /// A failure of the process.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// The shared process, started by the first caller.
    static func shared() async throws -> PythonPeer { try await starting.value }

    /// Ends when the process has sent its ports.
    private static let starting = Task { try await PythonPeer.start() }

    /// The URLs of the servers, by name.
    let servers: [String: String]
    /// The paths of certificates and keys, by name.
    let certificates: [String: String]
    private let channel: LineChannel
    private let nextID = Atomic(1)

    private init(_ channel: LineChannel, _ greeting: JSONValue) throws {
        guard case .object(let ports)? = greeting["ports"],
            case .object(let paths)? = greeting["paths"]
        else { throw Fault(description: "peer.py began with \(greeting)") }
        self.channel = channel
        servers = Dictionary(
            uniqueKeysWithValues: ports.map { name, port in
                let scheme = name.hasPrefix("https") ? "https" : "http"
                return (name, "\(scheme)://127.0.0.1:\(port.intValue ?? 0)")
            })
        certificates = Dictionary(
            uniqueKeysWithValues: paths.map { ($0, $1.stringValue ?? "") })
    }

    private static func start() async throws -> PythonPeer {
        let channel = try LineChannel(
            program: PythonEnvironment.interpreter(),
            arguments: [PythonEnvironment.script("peer.py")],
            environment: [
                "HOME": "/nonexistent", "NETRC": PythonEnvironment.netrc,
                "PYTHONDONTWRITEBYTECODE": "1",
            ])
        return try PythonPeer(channel, await channel.line(of: 0))
    }

    /// Sends a request like the Python call `session.request(method, url, **keywords)`.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - url: The URL.
    ///   - keywords: The keyword arguments as Python source, such as `params={'a': 1}`.
    /// - Returns: The response, or the exception raised by the library.
    /// - Throws: An error if the process has ended.
    func request(_ method: String, _ url: String, _ keywords: String) async throws -> Answer {
        let id = nextID.add(1, ordering: .relaxed).oldValue
        let command: JSONValue = [
            "id": .int(id), "method": .string(method), "url": .string(url),
            "keywords": .string(keywords),
        ]
        try channel.send(JSONWriter.compact.string(command))
        let answer = try await channel.line(of: id)
        return Answer(
            status: answer["status"]?.intValue,
            hops: answer["hops"]?.arrayValue?.compactMap(\.intValue) ?? [],
            text: answer["text"]?.stringValue ?? "", error: answer["error"]?.stringValue)
    }

    /// Inserts URLs and paths into a text, such as for `SERVER`, `HTTPBIN` and `$authority`.
    func filled(_ text: String, server: String) -> String {
        let addresses = [
            ("SERVER", server), ("HOST", server.replacing("http://", with: "")),
            ("HTTPSFORCLIENTS", servers["httpsForClients"] ?? ""),
            ("HTTPS", servers["https"] ?? ""), ("HTTPBIN", servers["httpbin"] ?? ""),
        ]
        let paths = certificates.merging(["fixtures": PythonEnvironment.fixtures]) { $1 }
            .sorted { $0.key.count > $1.key.count }.map { ("$\($0.key)", $0.value) }
        return (addresses + paths).reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
