internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// `builds`: lists past builds.
struct BuildsCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "builds",
            abstract: "Lists the latest builds, the newest first.",
            discussion: """
                Examples:

                  \(RootCommand.programName) builds
                  \(RootCommand.programName) builds linux 'test-*' -n 5
                  \(RootCommand.programName) builds --json
                """)
    }

    @Argument(
        help: ArgumentHelp(
            "Only builds of these builders, by name or pattern.", valueName: "builder"))
    var builders: [String] = []

    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("count")],
        help: ArgumentHelp("The number of builds.", valueName: "number"))
    var count = 20

    @Flag(help: "Write one JSON object.")
    var json = false

    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    func validate() throws {
        guard count > 0 else { throw ValidationError("-n \(count): use a number from 1 on") }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let console = context.console
        let folder = base.path(beside: source.file)
        try await BuildHistory.with(folder: folder) { history in
            let known = try await history?.builders() ?? []
            let wanted = builders.isEmpty ? nil : try Self.names(fitting: builders, known)
            let builds = try await history?.newest(of: wanted, limit: count) ?? []
            let isRunning = try await history?.hasMaster() ?? false
            if json {
                await console.print(
                    JSONWriter.pretty.string(Self.json(builds, hasMaster: isRunning)).lines)
            } else if builds.isEmpty {
                await console.print("no build has run in \(folder) yet")
            } else {
                let width = console.output.canRedraw ? console.size.columns : Int.max
                await console.print(
                    HistoryTable(console.output).lines(
                        builds, width: width, now: Date(), hasMaster: isRunning))
            }
        }
        return .success
    }

    /// The builder names that match names and patterns.
    static func names(
        fitting wanted: [String], _ known: [String]
    ) throws(UsageError) -> [String] {
        var names: [String] = []
        for name in wanted {
            let pattern = NamePattern(name)
            let found = known.contains(name) ? [name] : known.filter { pattern.matches($0) }
            guard !found.isEmpty else {
                let what =
                    pattern.isPlain
                    ? "there is no build of '\(name)'" : "no builder with builds matches '\(name)'"
                throw UsageError("\(what); \(Suggestion.remedy(for: name, among: known))")
            }
            names += found
        }
        return names
    }

    private static func json(_ builds: [BuildHistory.Entry], hasMaster: Bool) -> JSONValue {
        let records = builds.map { entry in
            let isCutOff = entry.build.completeAt == nil && !hasMaster
            let builder: JSONObject = [
                "builder": .string(entry.builder), "cut_off": .bool(isCutOff),
            ]
            return JSONValue.object(builder.merging(entry.build.json))
        }
        return ["formatVersion": 1, "builds": .array(records)]
    }
}

/// A table of builds from earlier runs.
struct HistoryTable {
    private let paint: TextPainter
    private let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// One line per build: name, result, duration, age, state.
    ///
    /// Without a master, an unfinished build was cut off.
    func lines(
        _ builds: [BuildHistory.Entry], width: Int, now: Date, hasMaster: Bool = true
    ) -> [String] {
        var table = TextTable(paint: paint)
        for entry in builds {
            let build = BuildView(entry.build, builder: entry.builder, steps: [])
            let age = now.timeIntervalSince(build.completeAt ?? build.startedAt)
            let isCutOff = build.results == nil && !hasMaster
            let results = isCutOff ? .exception : build.results
            table.add([
                .init("\(marks(results)) \(build.title)", .bold),
                .init(
                    isCutOff ? "cut off" : results == nil ? "running" : Results.text(results),
                    TextStyle(results)),
                .init(build.duration?.forPeople ?? "", .dim),
                .init(Self.age(age), .dim),
                .init(isCutOff ? "its master has ended" : build.remark, keepsEnd: true),
            ])
        }
        return table.lines(width: width, ellipsis: marks.ellipsis)
    }

    /// The time elapsed, in a single unit.
    static func age(_ seconds: Double) -> String {
        switch seconds {
        case ..<60: "\(max(0, Int(seconds))) s ago"
        case ..<3600: "\(Int(seconds / 60)) m ago"
        case ..<172_800: "\(Int(seconds / 3600)) h ago"
        default: "\(Int(seconds / 86_400)) d ago"
        }
    }
}

/// `clean`: removes builds and their files.
struct CleanCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "clean",
            abstract: "Removes builds with their logs, and the builders' work folders.",
            discussion: """
                Builds with reports that are still to be sent are kept. With --keep, the work \
                folders are kept, too. Nothing outside the base folder is touched.

                Examples:

                  \(RootCommand.programName) clean
                  \(RootCommand.programName) clean --keep 10
                """)
    }

    @Option(
        help: ArgumentHelp("The number of builds of each builder to keep.", valueName: "number"))
    var keep = 0

    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    func validate() throws {
        guard keep >= 0 else { throw ValidationError("--keep \(keep): use a number from 0 on") }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let folder = base.path(beside: source.file)
        guard let cleaned = try await BuildHistory.clean(folder: folder, keepingLast: keep)
        else {
            await context.console.print("no build has run in \(folder) yet")
            return .success
        }
        await context.console.print(Self.lines(cleaned))
        return .success
    }

    /// Describes what was removed and what was kept.
    static func lines(_ cleaned: CleanedFolder) -> [String] {
        var removed: [String] = []
        if cleaned.buildCount > 0 { removed.append(cleaned.buildCount.counting("build")) }
        if cleaned.workFolderCount > 0 {
            removed.append(cleaned.workFolderCount.counting("work folder"))
        }
        if removed.isEmpty, cleaned.byteCount > 0 { removed = ["old logs"] }
        var lines = [
            removed.isEmpty
                ? "there is nothing to remove"
                : "removed \(removed.joined(separator: " and ")), "
                    + cleaned.byteCount.bytesForPeople
        ]
        if cleaned.reportedCount > 0 {
            lines.append(
                "kept \(cleaned.reportedCount.counting("build")) with reports to be sent; see "
                    + "'\(RootCommand.programName) deliveries list'")
        }
        return lines + cleaned.links.map { "left \($0), which is a symbolic link" }
    }
}
