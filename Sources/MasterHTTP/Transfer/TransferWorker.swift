import CLibCurl
import Glibc

/// What the loop's thread does: start, move on and finish transfers. Nothing of it
/// leaves the thread.
final class TransferWorker {
    private let loop: TransferLoop
    private let multi: CurlMulti
    private var queue: TransferQueue<(TransferJob, CheckedContinuation<TransferOutcome, Never>)>
    private var transfers: [ObjectIdentifier: Transfer] = [:]
    private let clock = LoopClock()
    private var told: [(CheckedContinuation<TransferOutcome, Never>, TransferOutcome)] = []
    private var nextCheck: ContinuousClock.Instant?

    init(loop: TransferLoop, multi: CurlMulti, limits: TransferLimits) {
        self.loop = loop
        self.multi = multi
        queue = TransferQueue(limits)
    }

    /// Runs until the loop is closed, then fails whatever is left.
    func run() {
        while true {
            let (messages, isClosed) = loop.take()
            clock.tick()
            for message in messages { receive(message) }
            guard !isClosed else {
                failAll()
                return resumeTold()
            }
            startWaiting()
            multi.performDue()
            finishAll()
            enforceTimeouts()
            resumeTold()
            if startWaiting() { continue }
            if loop.fallAsleep() { multi.wait(milliseconds: patience()) }
        }
    }

    private func receive(_ message: TransferLoop.Message) {
        switch message {
        case .start(let job, let completion):
            guard !job.isCancelled else { return tell(job, completion, .failed(.cancelled)) }
            queue.append((job, completion), host: job.spec.hop.address.origin)
            check(at: job.spec.deadline)
        case .cancel(let job):
            cancel(job)
        case .resume(let job):
            guard let transfer = transfers[ObjectIdentifier(job)] else { return }
            transfer.progress.isPaused = false
            transfer.progress.lastActivity = clock.now
            check(at: transfer.nextDeadline)
            transfer.easy.resume()
        case .list(let jar, let handler):
            handler(jar.list())
        }
    }

    // MARK: Starting and finishing

    @discardableResult
    private func startWaiting() -> Bool {
        var hasStarted = false
        while let (job, completion) = queue.start() {
            hasStarted = true
            do {
                try start(job, completion)
            } catch {
                queue.finish(host: job.spec.hop.address.origin)
                tell(job, completion, .failed(error))
            }
        }
        return hasStarted
    }

    /// Begins a transfer; after others of the same job that found their connections stale, on a new
    /// connection.
    private func start(
        _ job: TransferJob, _ completion: CheckedContinuation<TransferOutcome, Never>,
        staleConnections: Int = 0
    ) throws(HTTPError) {
        guard let easy = EasyHandle(sockets: multi.sockets) else { throw .outOfMemory }
        do throws(HTTPError) {
            let transfer = try Transfer(
                job, completion: completion, easy: easy, clock: clock,
                staleConnections: staleConnections)
            guard multi.add(easy) else { throw HTTPError.outOfMemory }
            transfers[ObjectIdentifier(job)] = transfer
            check(at: transfer.nextDeadline)
        } catch {
            easy.finish()
            throw error
        }
    }

    private func finishAll() {
        while let (transfer, result) = multi.nextFinished() {
            if transfer.canBeginAgain {
                beginAgain(transfer)
            } else if let fault = transfer.fault(after: result) {
                finish(transfer, .failed(fault, transfer.beginning))
            } else {
                finish(transfer, .answered(transfer.answer))
            }
        }
    }

    /// Sends on a new connection what was not sent on a stale one.
    private func beginAgain(_ transfer: Transfer) {
        multi.remove(transfer.easy)
        transfer.easy.finish()
        transfers[ObjectIdentifier(transfer.job)] = nil
        do throws(HTTPError) {
            try start(
                transfer.job, transfer.completion,
                staleConnections: transfer.staleConnections + 1)
        } catch {
            queue.finish(host: transfer.job.spec.hop.address.origin)
            tell(transfer.job, transfer.completion, .failed(error))
        }
    }

    private func finish(_ transfer: Transfer, _ outcome: TransferOutcome) {
        multi.remove(transfer.easy)
        transfer.easy.finish()
        transfers[ObjectIdentifier(transfer.job)] = nil
        queue.finish(host: transfer.job.spec.hop.address.origin)
        tell(transfer.job, transfer.completion, outcome)
    }

    /// Tells a task what became of its transfer, at the end of the round.
    private func tell(
        _ job: TransferJob, _ completion: CheckedContinuation<TransferOutcome, Never>,
        _ outcome: TransferOutcome
    ) {
        job.stream?.finish()
        told.append((completion, outcome))
    }

    /// Resumes the tasks that were told something, one right after the other, which costs one
    /// waking of the thread pool instead of one each, and lets them run before this thread sleeps:
    /// often they send their next request at once.
    private func resumeTold() {
        guard !told.isEmpty else { return }
        for (completion, outcome) in told { completion.resume(returning: outcome) }
        told.removeAll(keepingCapacity: true)
        sched_yield()
    }

    private func cancel(_ job: TransferJob) {
        if let transfer = transfers[ObjectIdentifier(job)] {
            return finish(transfer, .failed(transfer.cancelled, transfer.beginning))
        }
        for (job, completion) in queue.removeWaiting(where: { $0.0 === job }) {
            tell(job, completion, .failed(.cancelled))
        }
    }

    private func failAll() {
        for transfer in Array(transfers.values) {
            var error = HTTPError.shutDown
            error.mayHaveArrived = transfer.mayHaveArrived
            finish(transfer, .failed(error))
        }
        for (job, completion) in queue.removeWaiting(where: { _ in true }) {
            tell(job, completion, .failed(.shutDown))
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
        for transfer in Array(transfers.values) {
            if let error = transfer.overdue {
                finish(transfer, .failed(error, transfer.beginning))
            } else {
                check(at: transfer.nextDeadline)
            }
        }
        expireWaiting()
    }

    private func expireWaiting() {
        let late = queue.removeWaiting { job, _ in
            job.spec.deadline.map { $0 <= clock.now } ?? false
        }
        for (job, completion) in late { tell(job, completion, .failed(.totalTimeout(job.spec))) }
        for (job, _) in queue.waiting { check(at: job.spec.deadline) }
    }
}
