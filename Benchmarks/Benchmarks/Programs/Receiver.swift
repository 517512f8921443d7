import Foundation
import MasterKit

/// The HTTP server of the reference, running in a separate process.
struct Receiver {
    let url: String
    private let http: HTTPClient

    /// Runs a closure with a receiver and terminates the receiver afterwards.
    static func with<Value>(_ body: (Receiver) async throws -> Value) async throws -> Value {
        let (process, input, output) = try Program.reference.start(["receive"])
        let line = String(decoding: output.availableData, as: UTF8.self)
        let port = line.prefix { $0.isNumber }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(
                try await withHTTPClient { http in
                    try await body(Receiver(url: "http://127.0.0.1:\(port)/", http: http))
                })
        } catch {
            outcome = .failure(error)
        }
        try input.close()
        process.waitUntilExit()
        return try outcome.get()
    }

    /// Waits for `count` POSTs since the last call and returns the time at which each was complete.
    @discardableResult
    func moments(_ count: Int) async throws -> [Int] {
        let answer = try await http.send(HTTPRequest(.get, "\(url)\(count)"))
        return answer.text.split(separator: "\n").compactMap { Int($0) }
    }
}
