package import MasterKit
internal import MasterRuntime
internal import OrderedCollections

/// A stock `buildbot-worker` process, as long as one connection to it lasts.
package struct RemoteWorker: Worker {
    /// The worker's name in builds.
    package var name: String { connection.worker }
    /// What the worker says about itself.
    package let info: WorkerInfo
    let connection: WorkerConnection
    /// The environment of each of its commands contains this text and the number of the command.
    let mark: CommandMark

    init(_ connection: WorkerConnection, _ info: WorkerInfo) {
        self.connection = connection
        self.info = info
        mark = CommandMark(basedir: info.basedir)
    }

    /// Runs a command until it ends; see `Worker`.
    package func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try Task.checkCancellation()
        let started = ContinuousClock.now
        do {
            if case .shell(let shell) = command {
                let run = RemoteProgram(shell, on: self, started: started)
                return try await run.run(updates)
            }
            let value = try await RemoteFiles(worker: self, started: started)
                .run(command, input, updates)
            try Task.checkCancellation()
            return CommandResult(elapsed: .now - started, value: value)
        } catch let end as ConnectionEnd {
            // Also if it is the worker's fault, found here.
            connection.close(end)
            throw error(for: connection.end ?? end)
        }
    }

    /// The error of commands when the connection has ended.
    private func error(for end: ConnectionEnd) -> any Error {
        end.isFault
            ? WorkerFault(worker: name, reason: end.reason)
            : WorkerLost(worker: name, reason: end.reason)
    }

    /// Why the worker can't do something.
    func inability(_ code: CommandError.Code, _ words: String) -> CommandError {
        CommandError(code, "the worker \(name) (buildbot-worker \(info.version)) \(words)")
    }

    /// Runs one command of the protocol, and passes its messages on until it has ended.
    ///
    /// If `handle` throws or the task is cancelled, the command is interrupted, and the rest of its
    /// messages is dropped. The worker enforces the limits of a command, but is not relied upon.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - silence: After which time without a message the worker itself ends it.
    ///   - grace: How long it may then take.
    ///   - stillRuns: Whether a silent command runs, as one whose line has not ended.
    ///   - handle: Handles a message.
    /// - Returns: What the worker sent of results.
    /// - Throws: What `handle` throws, ``ConnectionEnd``, `CommandError` or `CancellationError`.
    func perform(
        _ command: WireCommand, silence: Duration? = .seconds(1200), grace: Duration = .seconds(5),
        unless stillRuns: @escaping @Sendable () async throws -> Bool = { false },
        _ handle: (CommandMessage) async throws -> Void
    ) async throws -> WireResult {
        let running = try connection.start(command.name, command.arguments)
        // How long the worker may take to end it.
        let limit = grace + .seconds(30)
        // Ends when the command does.
        let watch = silence.map { silence in
            Task { [connection] in
                try await connection.watch(running, silence: silence + limit, unless: stillRuns)
            }
        }
        defer {
            watch?.cancel()
            running.finish()
        }
        return try await withTaskCancellationHandler {
            var result = WireResult()
            var failure: (any Error)?
            while true {
                let message: CommandMessage
                do {
                    message = try await running.next()
                } catch let refusal as WorkerConnection.Refusal {
                    throw inability(
                        .system, "refuses the command \(command.name): \(refusal.text.shortened)")
                }
                switch message {
                case .update(let pairs): try result.note(pairs)
                case .complete(let text):
                    if let failure { throw failure }
                    if Task.isCancelled { throw CancellationError() }
                    guard let text else { return result }
                    throw inability(
                        .system, "failed to run \(command.name): \(Self.message(ofFailure: text))")
                default: break
                }
                guard failure == nil else {
                    refuseTransfer(message)
                    continue
                }
                do {
                    try await handle(message)
                } catch let end as ConnectionEnd {
                    throw end
                } catch {
                    failure = error
                    refuseTransfer(message)
                    connection.interrupt(running, "the step has ended", within: limit)
                }
            }
        } onCancel: {
            connection.interrupt(running, "the step was stopped", within: limit)
        }
    }

    private func refuseTransfer(_ message: CommandMessage) {
        switch message {
        case .write(_, let number), .read(_, let number):
            connection.refuse(number, "the step has ended")
        case .closed(let number): connection.answer(number)
        case .update, .complete: break
        }
    }

    /// The message in the text of a Python failure.
    private static func message(ofFailure text: String) -> String {
        var line = text.prefix { !$0.isNewline }
        if let end = line.firstRange(of: "'>: ") { line = line[end.upperBound...] }
        return String(line).shortened
    }
}

/// The worker sent what it may not, and was disconnected: no failure of a command, which steps handle,
/// and no loss, after which a build is retried.
struct WorkerFault: Error, Hashable, CustomStringConvertible {
    let worker: String
    let reason: String

    var description: String { "the connection to the worker \(worker) was closed: \(reason)" }
}

/// What a command of the protocol returns.
struct WireResult: Sendable {
    var exitCode: Int?
    var failureReason: String?
    /// The signal that killed the program.
    var signal: Int32?
    var status: [Int]?
    var names: [String]?
    /// What the worker says about the command.
    var header = ""

    /// The most of the header that is kept.
    private static let headerLimit = 16 << 10

    mutating func note(_ pairs: [(key: String, value: MessagePack)]) throws(ConnectionEnd) {
        for (key, value) in pairs {
            switch key {
            case "rc":
                guard let code = value.int else { throw Self.fault(key, value) }
                exitCode = code
            case "failure_reason":
                guard let text = value.text else { throw Self.fault(key, value) }
                failureReason = text
            case "header":
                let text = try Self.text(of: value, key)
                let rest = Self.headerLimit - header.utf8.count
                if rest > 0 { header += String(text.unicodeScalars.prefix(rest)) }
                signal = Self.signal(in: text) ?? signal
            case "stat":
                guard let list = value.list, list.count == 10,
                    let numbers = list.map(\.int) as? [Int], numbers[6] >= 0
                else { throw Self.fault(key, value) }
                status = numbers
            case "files":
                guard let list = value.list, let names = list.map(\.text) as? [String] else {
                    throw Self.fault(key, value)
                }
                self.names = names
            default: break
            }
        }
    }

    /// The text of output: its lines, the places of their ends, and their times.
    static func text(of value: MessagePack, _ key: String) throws(ConnectionEnd) -> String {
        guard let text = value.list?.first?.text else { throw fault(key, value) }
        return text
    }

    static func fault(_ key: String, _ value: MessagePack) -> ConnectionEnd {
        WorkerConnection.fault(
            "it sent an update of '\(key.shortened)' with an invalid value: \(value.kind)")
    }

    private static func signal(in header: String) -> Int32? {
        let start = "process killed by signal "
        for line in header.split(separator: "\n") where line.hasPrefix(start) {
            if let number = Int32(line.dropFirst(start.count)) { return number }
        }
        return nil
    }
}

/// What a worker says about itself.
package struct WorkerInfo: Sendable, Hashable {
    /// The version of the worker, such as `4.3.0`.
    package let version: String
    /// The folder of its builds, an absolute path.
    package let basedir: String
    /// The environment of its process.
    let environment: [String: String]
    /// What can be shown: the version, the system, the texts of its folder `info`.
    package let details: JSONObject

    /// The commands that a worker must have.
    private static let needed = [
        "shell", "mkdir", "rmdir", "cpdir", "stat", "glob", "listdir", "upload_file",
        "download_file",
    ]

    init(_ answer: MessagePack) throws(ConnectionEnd) {
        func text(_ key: String) throws(ConnectionEnd) -> String {
            guard let text = answer[key]?.text else {
                throw WorkerConnection.fault("it did not tell its '\(key)'")
            }
            // As a path; a longer one can't be used.
            guard text.utf8.count <= 4096, !text.utf8.contains(0) else {
                throw WorkerConnection.fault("its '\(key)' is invalid: '\(text.shortened)'")
            }
            return text
        }
        version = try text("version")
        let system = try text("system")
        guard system == "posix" else {
            throw WorkerConnection.fault(
                "its system is '\(system.shortened)'; only workers on Linux and other POSIX "
                    + "systems can be used")
        }
        basedir = FilePaths.absolute(try text("basedir"), in: "/")
        guard try text("basedir").hasPrefix("/"), basedir != "/" else {
            throw WorkerConnection.fault(
                "its base directory is '\(basedir.shortened)'; create one with create-worker")
        }
        let commands = answer["worker_commands"]?.map?.keys
        for name in Self.needed where commands?.contains(name) != true {
            throw WorkerConnection.fault(
                "buildbot-worker \(version.shortened) lacks the command '\(name)'; upgrade it")
        }
        environment = (answer["environ"]?.map ?? [:]).reduce(into: [:]) { variables, entry in
            variables[entry.key] = entry.value.text
        }
        var details = JSONObject()
        for (key, value) in answer.map ?? [:]
        where !["environ", "worker_commands"].contains(key) && key.utf8.count <= 255 {
            switch value {
            case .text(let text):
                // Files that someone may have filled with anything.
                details[key] = .string(String(text.unicodeScalars.prefix(4096)))
            case .int(let number): details[key] = .int(Int(number))
            case .bool(let flag): details[key] = .bool(flag)
            default: break
            }
            if details.count == 64 { break }
        }
        self.details = details
    }
}
