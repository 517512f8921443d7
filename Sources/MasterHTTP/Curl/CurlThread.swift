import CLibCurl
import Glibc
import Synchronization

/// The thread that runs libcurl, as tasks see it: takes messages, wakes it, and knows when it ended.
///
/// It starts with the first request, and libcurl is not loaded before: many runs send nothing.
final class CurlThread: Sendable {
    /// A message to the thread.
    enum Message: Sendable {
        case start(Transfer)
        case cancel(Transfer)
        case resume(Transfer)
        case opened(Transfer, Result<OpenFile, HTTPError>)
        case read(Transfer, FileReader.Piece)
        case list(CookieJar, @Sendable ([HTTPCookie]) -> Void)
    }

    private struct State {
        /// What the thread works with; `nil` until it is started.
        var multi: CurlMulti?
        var inbox: [Message] = []
        var isAsleep = false
        var isClosed = false
        var hasEnded = false
        var enders: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limits: TransferLimits

    init(limits: TransferLimits) {
        self.limits = limits
    }

    /// Starts the thread, unless that was done or it is closed.
    private func start() throws(HTTPError) {
        // Held during the start, so that there is only one guardian.
        try state.withLock { state throws(HTTPError) in
            guard state.multi == nil, !state.isClosed else { return }
            let multi = try CurlMulti(idleConnections: limits.inFlight)
            try SystemThread.start { [self] in
                let reserve = HeapReserve()
                TransferScheduler(thread: self, multi: multi, limits: limits).run()
                end()
                _ = consume reserve
            }
            state.multi = multi
        }
    }

    /// Runs a transfer; cancelling the task aborts it immediately.
    func run(_ transfer: Transfer) async -> Transfer.Outcome {
        do {
            try start()
        } catch {
            transfer.stream?.finish()
            return .failure(error)
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.completion = continuation
                guard !post(.start(transfer)) else { return }
                transfer.stream?.finish()
                continuation.resume(returning: .failure(.shutDown))
            }
        } onCancel: {
            cancel(transfer)
        }
    }

    /// Cancels a transfer, even if it has not started yet.
    func cancel(_ transfer: Transfer) {
        transfer.markCancelled()
        post(.cancel(transfer))
    }

    /// The next piece of a response body, or `nil` at the end.
    func nextPiece(of transfer: Transfer) async -> [UInt8]? {
        guard let stream = transfer.stream else { return nil }
        await stream.waitForBytes()
        let (bytes, mustResume) = stream.take()
        if mustResume { post(.resume(transfer)) }
        return bytes.isEmpty ? nil : bytes
    }

    /// Lists the cookies of a jar; none when the thread does not run.
    func listCookies(of jar: CookieJar, _ handler: @escaping @Sendable ([HTTPCookie]) -> Void) {
        if !post(.list(jar, handler)) { handler([]) }
    }

    /// Puts a message in; false when the thread has not started or is closed.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (isTaken, asleep): (Bool, CurlMulti?) = state.withLock { state in
            guard let multi = state.multi, !state.isClosed else { return (false, nil) }
            state.inbox.append(message)
            defer { state.isAsleep = false }
            return (true, state.isAsleep ? multi : nil)
        }
        asleep?.wakeUp()
        return isTaken
    }

    /// Stops accepting messages and makes the thread fail all transfers and end.
    func close() {
        let asleep = state.withLock { state in
            state.isClosed = true
            return state.isAsleep ? state.multi : nil
        }
        asleep?.wakeUp()
    }

    /// Waits until the thread has ended, if it was started.
    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                let hasEnded = state.hasEnded || state.multi == nil
                if !hasEnded { state.enders.append(continuation) }
                return hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Takes the pending messages and whether the thread was closed. Called by the thread.
    func take() -> (messages: [Message], isClosed: Bool) {
        state.withLock { state in
            state.isAsleep = false
            let messages = state.inbox
            state.inbox.removeAll(keepingCapacity: false)
            return (messages, state.isClosed)
        }
    }

    /// Whether the inbox is empty, so that the thread may sleep until it is woken.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.inbox.isEmpty && !state.isClosed
            return state.isAsleep
        }
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

/// The work of the curl thread: starts, runs and ends transfers. Never leaves the thread.
final class TransferScheduler {
    private let thread: CurlThread
    private let multi: CurlMulti
    private var queue: TransferQueue<Transfer>
    /// The transfers that occupy a slot.
    private var running: [ObjectIdentifier: Transfer] = [:]
    private let clock = RoundClock()
    private var ended: [(Transfer, Transfer.Outcome)] = []
    private var nextCheck: ContinuousClock.Instant?

    init(thread: CurlThread, multi: CurlMulti, limits: TransferLimits) {
        self.thread = thread
        self.multi = multi
        queue = TransferQueue(limits)
    }

    /// Runs until the thread is closed, then fails all remaining transfers.
    func run() {
        while true {
            let (messages, isClosed) = thread.take()
            clock.tick()
            for message in messages { receive(message) }
            guard !isClosed else {
                failAll()
                return resumeTasks()
            }
            startWaiting()
            multi.perform()
            takeFinished()
            enforceTimeouts()
            resumeTasks()
            if startWaiting() { continue }
            if thread.fallAsleep() { multi.wait(milliseconds: patience()) }
        }
    }

    private func receive(_ message: CurlThread.Message) {
        switch message {
        case .start(let transfer):
            guard !transfer.isCancelled else { return end(transfer, .failure(.cancelled)) }
            queue.append(transfer, host: transfer.request.address.origin)
            check(at: transfer.request.deadline)
        case .cancel(let transfer):
            cancel(transfer)
        case .resume(let transfer):
            guard isRunning(transfer) else { return }
            transfer.resume()
            check(at: transfer.nextDeadline)
        case .opened(let transfer, let file):
            guard isRunning(transfer) else { return }
            opened(transfer, file)
        case .read(let transfer, let piece):
            guard isRunning(transfer), let source = transfer.source else { return }
            let isAwaited = source.isWaiting
            source.accept(piece)
            if isAwaited { transfer.resume() }
        case .list(let jar, let handler):
            handler(jar.list())
        }
    }

    private func isRunning(_ transfer: Transfer) -> Bool {
        running[ObjectIdentifier(transfer)] != nil
    }

    // MARK: Starting

    @discardableResult
    private func startWaiting() -> Bool {
        var hasStarted = false
        while let transfer = queue.start() {
            hasStarted = true
            running[ObjectIdentifier(transfer)] = transfer
            transfer.start(clock)
            switch transfer.request.body {
            case .file(let path):
                check(at: transfer.nextDeadline)
                FileReader.open(path) { [thread] file in
                    thread.post(.opened(transfer, file))
                }
            case .spooled(let spool):
                read(.spooled(spool), for: transfer)
                begin(transfer)
            case .none, .bytes:
                begin(transfer)
            }
        }
        return hasStarted
    }

    private func opened(_ transfer: Transfer, _ file: Result<OpenFile, HTTPError>) {
        do {
            read(.file(try file.get()), for: transfer)
            begin(transfer)
        } catch {
            finish(transfer, .failure(error))
        }
    }

    private func read(_ file: FileReader.File, for transfer: Transfer) {
        let reader = FileReader(file) { [thread] piece in
            thread.post(.read(transfer, piece))
        }
        transfer.source = BodySource(reader)
    }

    /// Passes a transfer to libcurl, for the first time or after a stale connection.
    private func begin(_ transfer: Transfer) {
        do throws(HTTPError) {
            guard let easy = EasyHandle(multi.connections) else { throw .outOfMemory }
            try transfer.begin(easy)
            guard multi.add(easy) else { throw HTTPError.outOfMemory }
            check(at: transfer.firstDeadline)
        } catch {
            transfer.letGo()
            finish(transfer, .failure(error))
        }
    }

    // MARK: Ending

    private func takeFinished() {
        while let (transfer, result) = multi.nextFinished() {
            if transfer.canBeginAgain {
                if let easy = transfer.easy { multi.remove(easy) }
                transfer.reset()
                begin(transfer)
            } else {
                finish(transfer, transfer.outcome(result))
            }
        }
    }

    private func finish(_ transfer: Transfer, _ outcome: Transfer.Outcome) {
        if let easy = transfer.easy { multi.remove(easy) }
        transfer.letGo()
        transfer.source = nil
        running[ObjectIdentifier(transfer)] = nil
        queue.finish(host: transfer.request.address.origin)
        end(transfer, outcome)
    }

    /// Queues the outcome of a transfer to be reported at the end of the round.
    private func end(_ transfer: Transfer, _ outcome: Transfer.Outcome) {
        transfer.stream?.finish()
        ended.append((transfer, outcome))
    }

    /// Resumes the tasks whose transfers ended.
    ///
    /// Resuming them together wakes the thread pool only once. They run before this thread sleeps,
    /// since they often send their next request immediately.
    private func resumeTasks() {
        guard !ended.isEmpty else { return }
        for (transfer, outcome) in ended { transfer.completion?.resume(returning: outcome) }
        ended.removeAll(keepingCapacity: true)
        sched_yield()
    }

    private func cancel(_ transfer: Transfer) {
        if isRunning(transfer) { return finish(transfer, transfer.ended(by: .cancelled)) }
        for transfer in queue.removeWaiting(where: { $0 === transfer }) {
            end(transfer, .failure(.cancelled))
        }
    }

    private func failAll() {
        for transfer in Array(running.values) { finish(transfer, transfer.ended(by: .shutDown)) }
        for transfer in queue.removeWaiting(where: { _ in true }) {
            end(transfer, .failure(.shutDown))
        }
    }

    // MARK: Time

    private func check(at time: ContinuousClock.Instant?) {
        guard let time else { return }
        nextCheck = min(nextCheck ?? time, time)
    }

    private func patience() -> Int32 {
        guard let nextCheck else { return 60_000 }
        return Int32(min(60_000, max(0, (nextCheck - .now).millisecondsUp)))
    }

    private func enforceTimeouts() {
        guard let due = nextCheck, due <= clock.now else { return }
        nextCheck = nil
        for transfer in Array(running.values) {
            if let error = transfer.overdue {
                finish(transfer, transfer.failure(error))
            } else {
                check(at: transfer.nextDeadline)
            }
        }
        let late = queue.removeWaiting { transfer in
            transfer.request.deadline.map { $0 <= clock.now } ?? false
        }
        for transfer in late { end(transfer, .failure(.totalTimeout(transfer.request))) }
        for transfer in queue.waiting { check(at: transfer.request.deadline) }
    }
}

/// The time as last read by the curl thread: once per round, not per byte.
final class RoundClock {
    private(set) var now = ContinuousClock.now

    func tick() {
        now = .now
    }
}
