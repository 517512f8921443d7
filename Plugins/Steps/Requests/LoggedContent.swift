import MasterKit
import Synchronization

/// The body of an answer in the form in which a log can hold it: text, or size and type.
enum LoggedContent {
    case nothing
    case text([UInt8])
    case note(String)

    /// Reads a body that is there as a whole.
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

    /// Stands for a body that may hold a secret which was not found in it.
    init(withheld exchange: HTTPExchange) {
        self =
            exchange.body.isEmpty
            ? .nothing
            : .note(
                Self.size(exchange.body.count, exchange)
                    + ", not shown: 'extract' looks for a secret in it")
    }

    /// Stands for a body that went into another log.
    init(elsewhere byteCount: Int, of exchange: HTTPExchange) {
        self = byteCount == 0 ? .nothing : .note(Self.size(byteCount, exchange))
    }

    /// Writes the content, ended by a line end.
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

/// Hands a body on to a log as it comes, until it turns out to be no text.
final class StreamedContent: Sendable {
    let log: any StepLog
    private let limit: Int?
    private let state = Mutex((byteCount: 0, isBinary: false))

    init(log: any StepLog, limit: Int? = nil) {
        self.log = log
        self.limit = limit
    }

    /// The number of bytes that came.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Whether a zero byte was among them; from there on nothing was written.
    var isBinary: Bool { state.withLock { $0.isBinary } }

    /// Takes the next piece.
    ///
    /// - Throws: What writing the log throws, or `HTTPError` when the limit is reached.
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
