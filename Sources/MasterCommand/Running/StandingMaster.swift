internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import MasterKit
internal import MasterRuntime
internal import MasterWeb
internal import Synchronization

/// A master that stays up until a signal or a command stops it.
final class StandingMaster: Sendable {
    private struct State {
        var isStopping = false
        /// Whether running builds have any time to end.
        var isPatient = false
        var signalCount = 0
        var echo = SignalEcho()
        var failure: StoreError?
        /// The last reload; the next one waits for it.
        var reload: Task<Reload, Never>?
    }

    /// How long a changed file must stay the same before it is read.
    private static let quiet: Duration = .milliseconds(300)

    let grace: Duration
    let started = Date()
    /// When it started, on a clock that nobody sets.
    let startedAt = ContinuousClock.now
    let logger: Logger
    private let file: String
    /// The libraries of plugins, which stay loaded as long as the process runs.
    private let libraries: [String]
    private let web: WebServer
    private let watchesFiles: Bool
    private let notifier: ServiceNotifier
    private let context: CommandContext
    private let state = Mutex(State())
    private let stopped = Signal()

    init(
        file: String, libraries: [String], grace: Duration, watchesFiles: Bool, logger: Logger,
        notifier: ServiceNotifier, context: CommandContext
    ) {
        self.file = file
        self.libraries = libraries
        web = WebServer(version: RootCommand.version, logger: logger)
        self.grace = grace
        self.watchesFiles = watchesFiles
        self.logger = logger
        self.notifier = notifier
        self.context = context
    }

    /// Runs the master.
    ///
    /// - Returns: Success when it was stopped.
    /// - Throws: ``MasterError``, or ``StoreError`` also if the store fails later.
    func run(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, _ options: Master.Options
    ) async throws -> ExitStatus {
        var options = options
        let builds = BuildLog(logger)
        options.servers += [builds, web]
        do {
            try await serve(configuration, secrets, options)
        } catch {
            await builds.finish()
            throw error
        }
        await builds.finish()
        if let failure = state.withLock(\.failure) { throw failure }
        logger.info("stopped")
        return .success
    }

    private func serve(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, _ options: Master.Options
    ) async throws {
        try await Master.run(configuration, secrets, options: options, logger: logger) { master in
            try StopSignal.watch { self.obey($0, master) }
            // Ends with the store, which is closed after the master.
            Task { await watchStore(of: master) }
            let commands = ServedCommands(master: master, standing: self)
            master.takeCommands { await commands.handle($0, $1) }
            await withDiscardingTaskGroup { group in
                if watchesFiles { group.addTask { await self.watchFiles(of: master) } }
                await work(master)
                group.cancelAll()
            }
        }
    }

    private func work(_ master: Master) async {
        let file = master.current
        let counts = [
            file.builders.count.counting("builder"), file.reporters.count.counting("reporter"),
            file.schedulers.count.counting("scheduler"),
            file.changeSources.count.counting("change source"),
        ].joined(separator: ", ")
        logger.info("ready: \(counts) in \(file.path); base folder \(master.basedir)")
        notifier.ready(counts)
        await stopped.wait()
        await master.waitForBuilds { !state.withLock(\.isPatient) }
        notifier.stopping("waiting for running builds")
        await master.endBuilds(within: grace)
    }

    private func watchStore(of master: Master) async {
        do throws(StoreError) {
            try await master.waitForStoreFailure()
        } catch {
            state.withLock { $0.failure = error }
            stop(master, "the store has failed", isHurried: true)
        }
    }

    // MARK: Stopping

    /// Reacts to a signal. Called on a thread that may block, but must not wait for a task.
    private func obey(_ signal: StopSignal, _ master: Master) {
        guard signal != .hangUp else {
            reload(master, because: "SIGHUP")
            return
        }
        let count = state.withLock { state in
            if !state.echo.repeats(signal, at: .now) { state.signalCount += 1 }
            return state.signalCount
        }
        guard count > 1 else {
            let again = signal == .interrupt ? " (press Ctrl-C again to exit immediately)" : ""
            return stop(master, signal.word, again: again)
        }
        master.abandonCommands()
        context.console.flush(within: .milliseconds(200))
        _exit(ExitStatus(signal).code)
    }

    /// Ends the master: builds have the grace time to end, none if it is hurried, or any time if it
    /// is patient, until it is to end otherwise.
    func stop(
        _ master: Master, _ reason: String, isHurried: Bool = false, isPatient: Bool = false,
        again: String = ""
    ) {
        let isNew = state.withLock { state in
            defer {
                state.isPatient = isPatient && (state.isPatient || !state.isStopping)
                state.isStopping = true
            }
            return !state.isStopping || state.isPatient && !isPatient
        }
        if isNew {
            let time =
                if isHurried {
                    ""
                } else if isPatient {
                    ": once running builds have ended"
                } else {
                    ": running builds have \(grace.forPeople) to end\(again)"
                }
            logger.info("stopping (\(reason))\(time)")
            stopped.raise()
            master.reconsiderWait()
        }
        if isHurried { master.interruptBuilds() }
    }

    var isStopping: Bool { state.withLock(\.isStopping) }

    /// Where the web page can be found, or `nil` if the file has none.
    var webAddress: String? { web.address }

    // MARK: Reloading

    /// What came of reading the file again.
    enum Reload: Sendable {
        case done(ConfigurationChanges, warnings: [String])
        /// The file has mistakes; the lines tell which.
        case wrong([String])
        case failed(String)
    }

    /// Reads the file again, after reloads that have begun before.
    @discardableResult
    func reload(_ master: Master, because reason: String) -> Task<Reload, Never> {
        state.withLock { state in
            let last = state.reload
            // Ends by itself; whoever wants the outcome waits for it.
            let task = Task {
                _ = await last?.value
                return await self.reloadNow(master, because: reason)
            }
            state.reload = task
            return task
        }
    }

    private func reloadNow(_ master: Master, because reason: String) async -> Reload {
        guard !isStopping else { return .failed("the master is stopping") }
        notifier.reloading()
        let reload = await readAgain(master)
        switch reload {
        case .done(let changes, let warnings):
            for line in warnings { logger.warning("\(line)") }
            for line in changes.lines { logger.info("\(reason): \(line)") }
        case .wrong(let lines):
            let text = lines.joined(separator: "\n")
            logger.error(
                "\(reason): the configuration is wrong; the previous one stays in force\n\(text)")
        case .failed(let message):
            logger.error("\(reason): the previous configuration stays in force: \(message)")
        }
        let isOld = if case .done = reload { false } else { true }
        let failure = isOld ? " is still in force: reading the file again failed" : ""
        if !isStopping { notifier.ready("configuration \(master.generation)\(failure)") }
        return reload
    }

    /// A file with its secrets, or what is wrong with them.
    struct Reading {
        let diagnostics: [Diagnostic]
        /// `nil` if the file or a secret is wrong.
        let usable: (configuration: MasterConfiguration, secrets: SecretValues)?

        init(_ file: String, basedir: String, in context: CommandContext) async {
            let loaded = MasterConfiguration.load(
                path: file, registry: context.registry, environment: context.environment,
                loader: PluginLoader(basedir: basedir))
            guard let configuration = loaded.configuration else {
                diagnostics = loaded.diagnostics
                usable = nil
                return
            }
            let fetched = await SecretFetcher(configuration).fetch()
            diagnostics =
                loaded.diagnostics + fetched.diagnostics.map { $0.located(in: loaded.file) }
            usable = fetched.isComplete ? (configuration, fetched.values) : nil
        }
    }

    private func readAgain(_ master: Master) async -> Reload {
        let builder = PluginBuilder(basedir: master.basedir, context)
        guard let libraries = await builder.libraries(for: file) else {
            return .failed("its plugins can't be built; the log of the master says why")
        }
        guard libraries == self.libraries else {
            return .failed("its plugins have changed; restart the master to load them")
        }
        let reading = await Reading(file, basedir: master.basedir, in: context)
        let lines = DiagnosticPrinter(.plain).lines(reading.diagnostics, of: file)
        guard let usable = reading.usable else { return .wrong(lines) }
        do {
            return .done(
                try await master.reconfigure(to: usable.configuration, usable.secrets),
                warnings: lines)
        } catch {
            return .failed("\(error)")
        }
    }

    /// Reloads whenever the file changes, another one that its settings refer to, or a link that leads
    /// to one of them.
    private func watchFiles(of master: Master) async {
        do {
            var watched = try WatchedFiles(master.current.files)
            while !Task.isCancelled {
                let wasComplete = watched.watch.isComplete
                var hasLostFolder = !wasComplete
                if wasComplete {
                    let changes = try await watched.next(quiet: Self.quiet)
                    hasLostFolder = changes.hasLostFolder
                    guard hasLostFolder || watched.concern(changes) else { continue }
                } else {
                    // One day the folder is back.
                    try await Task.sleep(for: Self.patience)
                }
                if hasLostFolder { watched = try WatchedFiles(master.current.files) }
                // That a folder is away is said once.
                guard wasComplete || watched.watch.isComplete else { continue }
                _ = await reload(master, because: Self.watchReason).value
                let new = WatchedFiles.Places(master.current.files)
                if new.folders == watched.places.folders {
                    watched.places = new
                } else {
                    watched = try WatchedFiles(master.current.files)
                    // What has changed in other folders before they were watched.
                    _ = await reload(master, because: Self.watchReason).value
                }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.error("--watch has ended: \(error)")
        }
    }

    /// How often a folder that is away is looked for.
    private static let patience: Duration = .seconds(1)
    private static let watchReason = "a file has changed"
}

/// The files of a configuration, and a watch on the folders that they are in.
private struct WatchedFiles {
    /// The files, and the links that lead to them.
    struct Places {
        let files: Set<String>
        let folders: Set<String>

        init(_ paths: [String]) {
            files = Set(paths.flatMap(FolderWatch.places))
            folders = Set(files.map { URL(filePath: $0).deletingLastPathComponent().path })
        }
    }

    var places: Places
    let watch: FolderWatch

    init(_ paths: [String]) throws {
        places = Places(paths)
        watch = try FolderWatch(places.folders.sorted())
    }

    /// Waits for changes in the folders.
    func next(quiet: Duration) async throws -> FolderWatch.Changes {
        try await withTaskCancellationHandler {
            try await watch.next(quiet: quiet)
        } onCancel: {
            watch.stop()
        }
    }

    /// Whether changes concern the files.
    func concern(_ changes: FolderWatch.Changes) -> Bool {
        changes.isUncertain || !changes.paths.isDisjoint(with: places.files)
    }
}

extension ConfigurationChanges {
    /// What was added, changed, removed and left as it was, a line each.
    var lines: [String] {
        let kinds: [(String, Names)] = [
            ("builder", builders), ("reporter", reporters), ("service", services),
            ("change source", changeSources), ("scheduler", schedulers), ("web page", web),
            ("worker", workers), ("setting", settings),
        ]
        func line(_ verb: String, _ names: (Names) -> [String]) -> String? {
            let found = kinds.flatMap { kind, lists in names(lists).map { "\(kind) '\($0)'" } }
            return found.isEmpty ? nil : "\(verb): \(found.joined(separator: ", "))"
        }
        var lines = [
            line("added", \.added), line("changed", \.changed), line("removed", \.removed),
        ].compactMap(\.self)
        if lines.isEmpty {
            lines = ["nothing has changed in the file; secrets and certificates were read again"]
        }
        let unchanged = kinds.filter { !$0.1.unchanged.isEmpty }.map {
            $0.1.unchanged.count.counting($0.0)
        }
        if !unchanged.isEmpty {
            lines.append("left as before: \(unchanged.joined(separator: ", "))")
        }
        for (builder, count) in cancelledRequests.sorted(by: { $0.key < $1.key }) {
            lines.append("cancelled: \(count.counting("pending request")) of builder '\(builder)'")
        }
        for (scheduler, count) in forgottenChanges.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "not built: \(count.counting("change")) that scheduler '\(scheduler)' had collected"
            )
        }
        if !afterRestart.isEmpty {
            lines.append("after a restart only: \(afterRestart.joined(separator: ", "))")
        }
        return lines
    }
}
