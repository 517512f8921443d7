internal import FoundationEssentials
internal import MasterKit
internal import Synchronization

/// Creates, announces and closes the logs of one step.
final class StepLogs: Sendable {
    typealias Open = (id: Int, writer: LogWriter)

    private let stepID: Int
    private let number: Int
    private let name: String
    private let limit: LogLimit
    private let build: BuildState
    private let shared: BuildEnvironment
    /// The names of the files so far.
    private let slugs = Mutex<Set<String>>([])

    init(
        ofStep stepID: Int, _ number: Int, _ name: String, limit: LogLimit, build: BuildState,
        shared: BuildEnvironment
    ) {
        self.stepID = stepID
        self.number = number
        self.name = name
        self.limit = limit
        self.build = build
        self.shared = shared
    }

    /// Creates the file of a log and announces it.
    ///
    /// - Parameters:
    ///   - log: The name.
    ///   - kind: The format of the content.
    ///   - keep: Called as soon as the log must be closed.
    /// - Returns: The log.
    /// - Throws: ``LogFault``, ``StoreError``.
    func make(
        _ log: String, kind: LogKind, keep: (Open) -> Void
    ) async throws -> LogWriter {
        let log = shared.mask.masked(log)
        let slug = slugs.withLock { $0.uniqueSlug(for: log.value) }
        let path =
            shared.basedir + "/"
            + LogFile.path(
                builder: build.builder.name, build: build.build.number, step: (number, name),
                slug: slug)
        let (id, logs) = (shared.store.makeLogID(), shared.logs)
        let observer = observer(of: id)
        let growth = growthObserver(
            of: Log(id: id, stepID: stepID, name: log.value, slug: slug, kind: kind))
        let writer = try await LogWriter.create(
            path, mask: shared.mask, limit: limit, queue: shared.logQueue, observe: observer,
            noteGrowth: { count in
                logs.noteGrowth(of: id)
                growth(count)
            })
        logs.begin(id, writer)
        build.note(log: path, ofStep: number)
        keep((id, writer))
        try await announce(observer != nil) { [stepID] transaction in
            _ = try transaction.newLog(id: id, stepID: stepID, name: log, slug: slug, kind: kind)
        }
        return writer
    }

    /// Ends logs.
    ///
    /// - Returns: The first error of one that could not be written.
    func close(_ logs: [Open]) async -> LogFault? {
        var fault: LogFault?
        for (id, writer) in logs {
            do throws(LogFault) {
                defer { shared.logs.end(id) }
                let lineCount = try await writer.close()
                await shared.store.post { try $0.finishLog(id, lineCount: lineCount) }
            } catch {
                fault = fault ?? error
            }
        }
        return fault
    }

    /// Announces a log. If its lines are published as events, too, they come after the log's own
    /// event.
    private func announce(
        _ hasReaders: Bool, _ body: @escaping @Sendable (StoreTransaction) throws -> Void
    ) async throws(StoreError) {
        if hasReaders {
            try await shared.store.write(body)
        } else {
            await shared.store.post(body)
        }
    }

    /// Publishes how many lines the file of a log has, if there are subscribers.
    private func growthObserver(of log: Log) -> LogWriter.GrowthObserver {
        let (events, lane, buildID) = (shared.store.events, build.build.requestID, build.build.id)
        return { count in
            guard events.isWanted(.logGrown) else { return }
            var log = log
            log.lineCount = count
            events.publish(
                Event(
                    at: Date(), kind: .logGrown, lane: lane, buildID: buildID, record: log.json))
        }
    }

    /// Publishes the lines of a log as events, if there are subscribers.
    private func observer(of log: Int) -> LogWriter.Observer? {
        let events = shared.store.events
        guard events.wantedKinds.contains(.logAppended) else { return nil }
        let (stepID, lane, buildID) = (stepID, build.build.requestID, build.build.id)
        return { lines in
            events.publish(
                Event(
                    at: Date(), kind: .logAppended, lane: lane, buildID: buildID,
                    record: [
                        "logid": .int(log), "stepid": .int(stepID),
                        "content": .string(String(decoding: lines.value, as: UTF8.self)),
                    ]))
        }
    }
}

/// The logs of a program that keeps running after its step; they end with it.
final class LogsOfProgram: ProgramLogs {
    private let origin: StepLogs
    private let logs = Mutex<[StepLogs.Open]>([])

    init(_ origin: StepLogs) {
        self.origin = origin
    }

    func openLog(_ log: String) async throws -> any StepLog {
        try await origin.make(log, kind: .stream) { opened in
            logs.withLock { $0.append(opened) }
        }
    }

    func close() async throws {
        if let fault = await origin.close(logs.withLock { $0 }) { throw fault }
    }
}

extension LogEncoding {
    /// A command's update, with its output converted to UTF-8.
    func decoded(_ update: CommandUpdate) -> CommandUpdate {
        switch update.content {
        case .output(let stream, let bytes):
            CommandUpdate(.output(stream, utf8(bytes)), elapsed: update.elapsed)
        case .logFile(let name, let bytes):
            CommandUpdate(.logFile(name, utf8(bytes)), elapsed: update.elapsed)
        case .header, .started, .ended, .content: update
        }
    }

    /// Converts output to UTF-8, replacing invalid bytes by the replacement character.
    ///
    /// Each byte is one character, so output can be split anywhere.
    private func utf8(_ bytes: [UInt8]) -> [UInt8] {
        if self == .utf8 || bytes.allSatisfy({ $0 < 0x80 }) { return bytes }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            let isKnown = byte < 0x80 || self == .latin1
            text.append(contentsOf: (isKnown ? Unicode.Scalar(byte) : "\u{FFFD}").utf8)
        }
        return text
    }
}
