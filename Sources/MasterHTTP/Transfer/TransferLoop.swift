import Synchronization

/// The door to the thread that runs libcurl: takes messages, wakes it, and knows when it has ended.
final class TransferLoop: Sendable {
    /// What the thread is told.
    enum Message: Sendable {
        case start(TransferJob, CheckedContinuation<TransferOutcome, Never>)
        case cancel(TransferJob)
        case resume(TransferJob)
        case list(CookieJar, @Sendable ([HTTPCookie]) -> Void)
    }

    private struct State {
        var inbox: [Message] = []
        var isAsleep = false
        var isClosed = false
        var hasEnded = false
        var enders: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let multi: CurlMulti

    /// Starts the thread.
    init(limits: TransferLimits) throws(HTTPError) {
        let multi = try CurlMulti(idleConnections: limits.inFlight)
        self.multi = multi
        try LoopThread.start { [self] in
            let reserve = HeapReserve()
            TransferWorker(loop: self, multi: multi, limits: limits).run()
            end()
            _ = consume reserve
        }
    }

    /// Runs a transfer; cancelling the task ends it at once.
    func run(_ job: TransferJob) async -> TransferOutcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !post(.start(job, continuation)) else { return }
                job.stream?.finish()
                continuation.resume(returning: .failed(.shutDown))
            }
        } onCancel: {
            cancel(job)
        }
    }

    /// Ends a job, also one that has not begun yet.
    func cancel(_ job: TransferJob) {
        job.markCancelled()
        post(.cancel(job))
    }

    /// The next piece of a job's body, or nil when no more comes.
    func nextPiece(of job: TransferJob) async -> [UInt8]? {
        guard let stream = job.stream else { return nil }
        await stream.waitForBytes()
        let (bytes, mustResume) = stream.take()
        if mustResume { post(.resume(job)) }
        return bytes.isEmpty ? nil : bytes
    }

    /// Lists the cookies of a jar; none when the loop is closed.
    func listCookies(of jar: CookieJar, _ handler: @escaping @Sendable ([HTTPCookie]) -> Void) {
        if !post(.list(jar, handler)) { handler([]) }
    }

    /// Takes no more messages, and has the thread fail what it knows and end.
    func close() {
        let mustWake = state.withLock { state in
            state.isClosed = true
            return state.isAsleep
        }
        if mustWake { multi.wakeUp() }
    }

    /// Waits until the thread has ended.
    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.enders.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// The messages that came, and whether the loop was closed; called by the thread.
    func take() -> (messages: [Message], isClosed: Bool) {
        state.withLock { state in
            state.isAsleep = false
            let messages = state.inbox
            state.inbox.removeAll(keepingCapacity: false)
            return (messages, state.isClosed)
        }
    }

    /// Whether there is nothing to take, so that the thread may sleep until it is woken.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.inbox.isEmpty && !state.isClosed
            return state.isAsleep
        }
    }

    /// Puts a message in; false when the loop is closed.
    @discardableResult
    private func post(_ message: Message) -> Bool {
        let (isTaken, mustWake) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.inbox.append(message)
            let mustWake = state.isAsleep
            state.isAsleep = false
            return (true, mustWake)
        }
        if mustWake { multi.wakeUp() }
        return isTaken
    }

    private func end() {
        let enders = state.withLock { state in
            state.hasEnded = true
            let enders = state.enders
            state.enders = []
            return enders
        }
        for ender in enders { ender.resume() }
    }
}
