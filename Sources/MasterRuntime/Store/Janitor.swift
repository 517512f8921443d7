internal import FoundationEssentials
internal import GRDB
internal import MasterKit
internal import ServiceLifecycle
internal import SystemPackage

/// Removes old builds, logs and changes while a master stays up, as `janitor` in its file says.
///
/// The newest build of each builder stays, and so do those about which reports are still to be sent.
/// Files go before their records, so that nothing is left behind by a master that ends in between.
struct Janitor: Service {
    /// How often the store is swept.
    static let interval = 3600.0
    /// How soon changed settings are followed.
    static let lookInterval = 60.0
    /// The number of builds removed in one transaction, which takes some milliseconds.
    private static let batch = 20
    /// The pause between two transactions, for the builds.
    static let pause: Duration = .milliseconds(20)

    let configuration: RunningConfiguration
    let time: any WallClock
    /// Raised when the configuration has changed.
    let changed = Signal()

    /// Sweeps now and then until the master shuts down.
    func run() async {
        await cancelWhenGracefulShutdown {
            var (due, last) = (Date.distantPast, JanitorSettings?.none)
            while !Task.isCancelled {
                guard let settings = configuration.current.configuration.janitor else {
                    last = nil
                    await changed.wait()
                    continue
                }
                if settings != last || time.now >= due {
                    (due, last) = (time.now + Self.interval, settings)
                    await Self.sweep(settings, in: configuration, now: time.now)
                }
                do {
                    try await time.sleep(until: time.now + Self.lookInterval)
                } catch {
                    return
                }
            }
        }
    }

    /// Removes what is old.
    static func sweep(
        _ settings: JanitorSettings, in configuration: RunningConfiguration, now: Date
    ) async {
        var sweep = Sweep(configuration, settings, now: now)
        do {
            try await sweep.run()
        } catch  where Task.isCancelled {
            return
        } catch {
            configuration.current.logger.warning(
                "the janitor could not remove everything, which is tried again: \(error)")
        }
        if let line = sweep.line { configuration.current.logger.info("\(line)") }
    }

    /// One pass over the store.
    private struct Sweep {
        let configuration: RunningConfiguration
        let settings: JanitorSettings
        let now: Date
        var builds = 0
        var logs = 0
        var changes = 0
        var folders = 0
        /// Builds that had not ended when the sweep began, or whose reports were still to be sent.
        private var open: Set<Int> = []
        /// The newest build at that time.
        private var newest = 0

        init(_ configuration: RunningConfiguration, _ settings: JanitorSettings, now: Date) {
            self.configuration = configuration
            self.settings = settings
            self.now = now
        }

        private var environment: BuildEnvironment { configuration.current }
        private var store: Store { environment.store }
        private var root: FilePath { FilePath(environment.basedir) }

        /// What was removed; `nil` for nothing.
        var line: String? {
            let parts = [
                (builds, "build"), (logs, "log"), (changes, "change"), (folders, "work folder"),
            ]
            let found = parts.filter { $0.0 > 0 }.map { "\($0) \($1)\($0 == 1 ? "" : "s")" }
            return found.isEmpty ? nil : "the janitor removed \(found.joined(separator: ", "))"
        }

        mutating func run() async throws {
            (newest, open) = try await store.read { database in
                (
                    try database.number("SELECT max(id) FROM build", []) ?? 0,
                    try database.buildsOfOpenReports().union(
                        try database.numbers("SELECT id FROM build WHERE complete_at IS NULL", []))
                )
            }
            if settings.keepBuilds != nil || settings.keepFor != nil { try await removeOld() }
            if let age = settings.keepLogs { try await removeLogs(before: moment(age)) }
            if let limit = settings.maxStore { try await removeOldest(beyond: limit.bytes) }
            // Those of the builds that were removed are not needed any more.
            if let age = settings.keepChanges {
                try await Janitor.removeChanges(before: moment(age), in: store) { changes += $0 }
            }
            try await removeFolders()
        }

        private func moment(_ age: Duration) -> Double {
            (now - age / .seconds(1)).timeIntervalSince1970
        }

        // MARK: Builds

        private mutating func removeOld() async throws {
            let cutoff = settings.keepFor.map(moment) ?? -.infinity
            let builders = try await store.read { try $0.numbers("SELECT id FROM builder", []) }
            for builder in builders {
                let kept = settings.keepBuilds ?? Int.max
                let bound = try await store.read { database in
                    try database.number(
                        """
                        SELECT number FROM build WHERE builder_id = ?
                        ORDER BY number DESC LIMIT 1 OFFSET ?
                        """, [builder, kept]) ?? 0
                }
                var cursor = 0
                while true {
                    let page = try await store.read { [cursor] database in
                        try database.builds(
                            "builder_id = ? AND number > ? ORDER BY number", [builder, cursor])
                    }
                    let old = page.filter { build in
                        build.number <= bound || (build.completeAt ?? .infinity) < cutoff
                    }
                    guard let last = old.last else { break }
                    cursor = last.number
                    try await remove(old)
                }
            }
        }

        private mutating func removeOldest(beyond limit: Int) async throws {
            var used = try await store.read { try $0.usedBytes() }
            var excess = try await sizes(["logs"]) + used - limit
            var cursor = 0
            while excess > 0 {
                let page = try await store.read { [cursor] database in
                    try database.builds("build.id > ? ORDER BY build.id", [cursor])
                }
                guard let last = page.last else {
                    environment.logger.warning(
                        """
                        the store and the logs are larger than 'maxStore' of the janitor, though only \
                        the newest builds and those with reports to be sent are left
                        """)
                    return
                }
                cursor = last.id
                // Each build on its own, so that no more than needed is removed.
                for build in page where excess > 0 && isRemovable(build) {
                    let bytes = try await size(of: build)
                    let before = used
                    try await remove([build])
                    used = try await store.read { try $0.usedBytes() }
                    excess -= bytes + before - used
                }
            }
        }

        private func isRemovable(_ build: StoredBuild) -> Bool {
            build.completeAt != nil && !build.isNewest && !isOpen(build)
        }

        /// Whether reports about a build may still have to be sent; of one that has ended since the
        /// sweep began it is not known.
        private func isOpen(_ build: StoredBuild) -> Bool {
            build.id > newest || open.contains(build.id)
        }

        /// Removes builds that have ended, but not the newest of a builder.
        private mutating func remove(_ builds: [StoredBuild]) async throws {
            let removable = builds.filter(isRemovable)
            guard !removable.isEmpty else { return }
            try await removeFiles(
                removable.map { LogFile.folder(ofBuild: $0.number, of: $0.builder) })
            try await store.write { transaction in
                for build in removable { try transaction.database.remove(build: build.id) }
            }
            self.builds += removable.count
            try await Task.sleep(for: Janitor.pause)
        }

        // MARK: Logs

        private mutating func removeLogs(before cutoff: Double) async throws {
            var cursor = 0
            while true {
                let (last, old) = try await store.read { [cursor] database in
                    try database.builds(ofLogsAfter: cursor, endedBefore: cutoff)
                }
                let removable = old.filter { !isOpen($0) }
                guard let last else { return }
                cursor = last
                guard !removable.isEmpty else { continue }
                try await removeFiles(
                    removable.map { LogFile.folder(ofBuild: $0.number, of: $0.builder) })
                logs += try await store.write { transaction in
                    try removable.reduce(0) { try $0 + transaction.database.removeLogs(of: $1.id) }
                }
                try await Task.sleep(for: Janitor.pause)
            }
        }

        // MARK: Files

        /// Removes the folders of builders that the file no longer has.
        private mutating func removeFolders() async throws {
            let known = try await store.read { database in
                try database.all("SELECT name FROM builder") { $0[0] as String }
            }
            for name in known {
                let path = root.appending("work").appending(FilePaths.component(name))
                guard try FileTree.kind(of: path, followingLinks: false) != nil,
                    try await !isBuilding(name),
                    // Looked at last, as the file may change meanwhile.
                    environment.configuration.builders[name] == nil
                else { continue }
                try await removeFiles(["work/" + FilePaths.component(name)])
                folders += 1
            }
        }

        private func isBuilding(_ builder: String) async throws -> Bool {
            try await store.read { database in
                try database.number(
                    """
                    SELECT 1 FROM build JOIN builder ON builder.id = builder_id
                    WHERE complete_at IS NULL AND name = ?
                    """, [builder]) != nil
            }
        }

        private func removeFiles(_ paths: [String]) async throws {
            try await OwnThread.run { [root] stop in
                var cleaning = FolderCleaning(folder: root, files: FileTree(stop))
                for path in paths { try cleaning.remove(root.appending(path)) }
            }
        }

        private func size(of build: StoredBuild) async throws -> Int {
            try await sizes(["\(LogFile.folder(ofBuild: build.number, of: build.builder))"])
        }

        private func sizes(_ paths: [String]) async throws -> Int {
            try await OwnThread.run { [root] stop in
                let cleaning = FolderCleaning(folder: root, files: FileTree(stop))
                return try paths.reduce(0) { try $0 + cleaning.size(of: root.appending($1)) }
            }
        }
    }
}

/// A build as the janitor looks at it.
private struct StoredBuild: Sendable {
    let id: Int
    let builder: String
    let number: Int
    /// When it ended, in seconds since 1970.
    let completeAt: Double?
    let isNewest: Bool
}

extension Database {
    private static let pageSize = 20

    /// Some builds that meet a condition.
    fileprivate func builds(
        _ condition: String, _ arguments: StatementArguments
    ) throws -> [StoredBuild] {
        try all(
            """
            SELECT build.id, builder.name, number, complete_at,
                number = (SELECT max(number) FROM build AS other
                    WHERE other.builder_id = build.builder_id)
            FROM build JOIN builder ON builder.id = builder_id
            WHERE \(condition) LIMIT \(Self.pageSize)
            """, arguments
        ) {
            StoredBuild(
                id: $0[0], builder: $0[1], number: $0[2], completeAt: $0[3], isNewest: $0[4])
        }
    }

    /// The builds of some logs in the order of the logs, which is about that of their ends.
    ///
    /// - Returns: The last log that was looked at, or `nil` if none of them is old; and the builds of
    ///   those that are.
    fileprivate func builds(
        ofLogsAfter cursor: Int, endedBefore cutoff: Double
    ) throws -> (last: Int?, builds: [StoredBuild]) {
        let rows = try all(
            """
            SELECT log.id, build.id, builder.name, build.number, build.complete_at
            FROM log JOIN step ON step.id = step_id JOIN build ON build.id = build_id
                JOIN builder ON builder.id = builder_id
            WHERE log.id > ? ORDER BY log.id LIMIT 100
            """, [cursor]
        ) { row in
            (
                log: row[0] as Int,
                build: StoredBuild(
                    id: row[1], builder: row[2], number: row[3], completeAt: row[4],
                    isNewest: false)
            )
        }
        let old = rows.filter { ($0.build.completeAt ?? .infinity) < cutoff }
        guard !old.isEmpty else { return (nil, []) }
        var seen: Set<Int> = []
        return (rows.last?.log, old.map(\.build).filter { seen.insert($0.id).inserted })
    }

    /// Removes a build with its steps and logs, and its buildset if that has no other, together
    /// with those that were built in it.
    fileprivate func remove(build id: Int) throws {
        let buildset = try number(
            "SELECT buildset_id FROM build_request JOIN build ON request_id = build_request.id "
                + "WHERE build.id = ?", [id])
        try run("DELETE FROM build WHERE id = ?", [id])
        guard let buildset else { return }
        let buildsets = try numbers(
            """
            WITH RECURSIVE gone (request) AS (
                SELECT id FROM build_request WHERE buildset_id = ?
                UNION SELECT id FROM build_request JOIN gone ON collapsed_into = gone.request)
            SELECT DISTINCT buildset_id FROM gone JOIN build_request ON id = gone.request
            ORDER BY buildset_id DESC
            """, [buildset])
        for id in buildsets {
            try run(
                """
                DELETE FROM buildset WHERE id = ? AND complete_at IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM build_request JOIN build ON request_id = build_request.id
                    WHERE buildset_id = buildset.id)
                AND NOT EXISTS (
                    SELECT 1 FROM build_request AS old
                    JOIN build_request AS new ON new.id = old.collapsed_into
                    WHERE old.buildset_id = buildset.id)
                """, [id])
        }
    }

    /// Removes the records of a build's logs.
    ///
    /// - Returns: How many there were.
    fileprivate func removeLogs(of build: Int) throws -> Int {
        try run(
            "DELETE FROM log WHERE step_id IN (SELECT id FROM step WHERE build_id = ?)", [build])
        return changesCount
    }

    /// The bytes of the database without its free pages.
    fileprivate func usedBytes() throws -> Int {
        let pages = try number("PRAGMA page_count", []) ?? 0
        let free = try number("PRAGMA freelist_count", []) ?? 0
        return (pages - free) * (try number("PRAGMA page_size", []) ?? 0)
    }
}
