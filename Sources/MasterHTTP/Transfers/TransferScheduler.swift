import CLibCurl
import Glibc

/// The work of the curl thread: starts, runs and ends transfers. Never leaves the thread.
final class TransferScheduler {
    private let thread: CurlThread
    private let multi: CurlMulti
    private var queue: HostQueue<Transfer>
    /// The transfers that occupy a slot.
    private var running: [ObjectIdentifier: Transfer] = [:]
    private let clock = RoundClock()
    private var ended: [(Transfer, Transfer.Outcome)] = []
    private var nextCheck: ContinuousClock.Instant?

    init(thread: CurlThread, multi: CurlMulti, limits: TransferLimits) {
        self.thread = thread
        self.multi = multi
        queue = HostQueue(limits)
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

/// The maximum numbers of active transfers.
struct TransferLimits: Sendable {
    let inFlight: Int
    let perHost: Int

    /// Creates limits of at least one.
    init(inFlight: Int, perHost: Int) {
        self.inFlight = max(1, inFlight)
        self.perHost = max(1, perHost)
    }
}

/// A queue for free slots: round-robin between hosts, first come, first served for each host.
struct HostQueue<Element> {
    /// The waiting and running elements of one host.
    private final class Lane {
        let host: String
        var waiting = FirstInFirstOut<Element>()
        var running = 0
        var isReady = false

        init(host: String) {
            self.host = host
        }
    }

    private let limits: TransferLimits
    private var lanes: [String: Lane] = [:]
    private var ready = FirstInFirstOut<Lane>()
    private var running = 0

    init(_ limits: TransferLimits) {
        self.limits = limits
    }

    /// The waiting elements, in no particular order.
    var waiting: [Element] {
        lanes.values.flatMap(\.waiting.elements)
    }

    /// Appends an element to the queue of its host.
    mutating func append(_ element: Element, host: String) {
        let lane: Lane
        if let known = lanes[host] {
            lane = known
        } else {
            lane = Lane(host: host)
            lanes[host] = lane
        }
        lane.waiting.append(element)
        markReady(lane)
    }

    /// The next element that may start; it occupies a slot until `finish`.
    mutating func start() -> Element? {
        while running < limits.inFlight, let lane = ready.popFirst() {
            lane.isReady = false
            guard lane.running < limits.perHost, let element = lane.waiting.popFirst() else {
                continue
            }
            lane.running += 1
            running += 1
            markReady(lane)
            return element
        }
        return nil
    }

    /// Frees the slot of an element of the host.
    mutating func finish(host: String) {
        guard let lane = lanes[host] else { return }
        running -= 1
        lane.running -= 1
        markReady(lane)
        forgetIfIdle(lane)
    }

    /// Removes and returns the waiting elements that match.
    mutating func removeWaiting(where matches: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        for lane in Array(lanes.values) {
            removed += lane.waiting.removeAll(where: matches)
            forgetIfIdle(lane)
        }
        return removed
    }

    private mutating func markReady(_ lane: Lane) {
        guard !lane.isReady, !lane.waiting.isEmpty, lane.running < limits.perHost else { return }
        lane.isReady = true
        ready.append(lane)
    }

    /// Removes an idle host, but only if there are many, not after each request.
    private mutating func forgetIfIdle(_ lane: Lane) {
        guard lanes.count > 64, lane.running == 0, lane.waiting.isEmpty else { return }
        lanes[lane.host] = nil
    }
}

/// A FIFO queue.
struct FirstInFirstOut<Element> {
    private var storage: [Element] = []
    private var first = 0

    var isEmpty: Bool { first == storage.count }

    /// The elements, in order.
    var elements: ArraySlice<Element> { storage[first...] }

    mutating func append(_ element: Element) {
        storage.append(element)
    }

    mutating func popFirst() -> Element? {
        guard first < storage.count else { return nil }
        let element = storage[first]
        first += 1
        if first == storage.count {
            storage.removeAll(keepingCapacity: first <= 256)
            first = 0
        } else if first >= 256 {
            storage.removeFirst(first)
            first = 0
        }
        return element
    }

    /// Removes and returns the elements that match.
    mutating func removeAll(where matches: (Element) -> Bool) -> [Element] {
        let removed = elements.filter(matches)
        guard !removed.isEmpty else { return [] }
        storage = elements.filter { !matches($0) }
        first = 0
        return removed
    }
}
