import Synchronization

/// What was sent and answered in one try of a delivery, masked.
public final class DeliveryTrace: Sendable {
    /// The longest part of an answer that is kept, in bytes.
    public static let answerLimit = 4096

    private struct State {
        var receiver: String?
        var fault: HTTPError?
        var status: Int?
        var answer: String?
    }

    private let state = Mutex(State())

    /// Makes an empty trace.
    public init() {}

    /// The address that was asked, without user and password.
    public var receiver: String? { state.withLock { $0.receiver } }

    /// Why there was no answer to the last request.
    public var fault: HTTPError? { state.withLock { $0.fault } }

    /// The status of the last answer.
    public var status: Int? { state.withLock { $0.status } }

    /// The beginning of the last answer's text.
    public var answer: String? { state.withLock { $0.answer } }

    /// Notes where a request goes.
    public func note(receiver: String) {
        state.withLock { $0.receiver = receiver }
    }

    /// Notes that there was no answer.
    public func note(fault: HTTPError) {
        state.withLock { $0.fault = fault }
    }

    /// Notes an answer.
    public func note(status: Int, answer: String) {
        let kept = answer.beginning(ofUTF8: Self.answerLimit)
        state.withLock {
            $0.status = status
            $0.answer = kept
        }
    }
}

extension String {
    /// As many whole characters of Unicode as there are in a number of bytes.
    package func beginning(ofUTF8 count: Int) -> String {
        guard var end = utf8.index(startIndex, offsetBy: count, limitedBy: endIndex) else {
            return self
        }
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
