public import MasterKit

/// Runs tests and counts them.
public struct Test: Step {
    /// What the step does.
    public static let summary = "Runs tests and counts them, from their output or JUnit reports."

    /// The options of a step whose failure gives the build the result warnings if it does not fail
    /// it.
    public static var options: StepOptions {
        var options = StepOptions()
        options.warnOnFailure = Renderable(true)
        return options
    }

    /// The maximum size of a JUnit report in bytes.
    private static let reportLimit = 64 << 20

    @Setting("What to run; by default [make, test].", .primary)
    var command: Renderable<CommandLineSetting> = Renderable(
        CommandLineSetting(invocation: .program(["make", "test"])))

    @Setting("JUnit reports that are counted instead of the output: a path or pattern, or a list.")
    var junit: Renderable<ReportPatterns?>

    @SettingGroup var process: ProcessSettings
    @SettingGroup var warnings: WarningSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        let counts = ["total", "passed", "failed", "skipped", "warnings"].map { "tests-\($0)" }
        return process.products(
            logs: ["warnings", "junit"], properties: counts + ["warnings-count"])
    }

    /// Reports settings that have no effect together.
    public func check(_ settings: SettingsCheck) {
        process.check(command, settings)
    }

    /// Runs the tests; a failed test is a failure, regardless of the command's exit code.
    public func run(in context: StepContext) async throws -> Results {
        let patterns = try context.render(junit)?.texts ?? []
        let before = await statuses(fitting: patterns, in: context)
        var output = TestOutput()
        let results = try await warnings.counting(in: context) { observe in
            let line = try context.render(command)
            return try await process.run(line, in: context) { line in
                output.note(line.text)
                observe?(line)
            }
        }
        var counts = output.counts
        if !patterns.isEmpty {
            do throws(ReportFault) {
                counts = try await reports(patterns, but: before, in: context)
            } catch {
                // A command that failed is the reason why there are no reports.
                if results == .success || results == .warnings {
                    await context.setSummary(error.reason)
                }
                try await context.openLog("junit").line(error.message, to: .stderr)
                return Results.worst(results, .failure) ?? .failure
            }
        }
        return try await tell(counts, of: results, in: context)
    }

    /// Sets the state text and the properties.
    private func tell(
        _ counts: TestCounts, of results: Results, in context: StepContext
    ) async throws -> Results {
        guard counts.total + counts.errors > 0 else { return results }
        for (name, count) in [
            ("tests-total", counts.total), ("tests-passed", counts.passed),
            ("tests-failed", counts.failed), ("tests-skipped", counts.skipped),
            ("tests-warnings", counts.warnings), ("tests-errors", counts.errors),
        ] { try await context.setProperty(name, to: .int(count)) }
        // If the tests passed but the command failed, its own state text is more informative.
        guard counts.hasFailed || results == .success || results == .warnings else {
            return results
        }
        await context.setSummary(counts.words)
        return counts.hasFailed ? Results.worst(results, .failure) ?? .failure : results
    }

    /// The reports that are there before the command runs, as far as they can be read.
    private func statuses(
        fitting patterns: [String], in context: StepContext
    ) async -> [String: CommandResult.FileStatus] {
        var statuses: [String: CommandResult.FileStatus] = [:]
        for pattern in patterns {
            do throws(ReportFault) {
                for path in try await paths(fitting: pattern, in: context) {
                    statuses[path] = try await status(of: path, in: context)
                }
            } catch {
                continue  // It is reported after the command, if it is still so.
            }
        }
        return statuses
    }

    /// Counts the tests in all reports, except for those that are as they were before.
    private func reports(
        _ patterns: [String], but before: [String: CommandResult.FileStatus],
        in context: StepContext
    ) async throws(ReportFault) -> TestCounts {
        var counts = TestCounts()
        for pattern in patterns {
            let all = try await paths(fitting: pattern, in: context)
            guard !all.isEmpty else {
                throw ReportFault("no file \(pattern)", "check the setting 'junit'")
            }
            var paths: [String] = []
            for path in all {
                let status = try await status(of: path, in: context)
                if status == nil || status != before[path] { paths.append(path) }
            }
            let old = all.filter { !paths.contains($0) }
            guard !paths.isEmpty else {
                throw ReportFault(
                    "no new file \(pattern)",
                    "the command has not written \(old.joined(separator: ", ")); remove old reports, "
                        + "or check the setting 'junit'")
            }
            if !old.isEmpty { try await tell(ofOld: old, in: context) }
            for path in paths {
                let text = try await content(of: path, in: context)
                do {
                    counts = counts + (try JUnitReport(text).counts)
                } catch {
                    throw ReportFault("\(path) is not a JUnit report", "\(error)")
                }
            }
        }
        return counts
    }

    /// Says which reports are of an earlier run.
    private func tell(ofOld paths: [String], in context: StepContext) async throws(ReportFault) {
        let words = "not counted, as the command has not written them: "
        do {
            try await context.openLog("junit").line(
                words + paths.joined(separator: ", "), to: .header)
        } catch {
            throw ReportFault(error)
        }
    }

    private func status(
        of path: String, in context: StepContext
    ) async throws(ReportFault) -> CommandResult.FileStatus? {
        do {
            guard case .status(let status) = try await context.run(.stat(.init(path))).value
            else { return nil }
            return status
        } catch {
            throw ReportFault(error)
        }
    }

    private func paths(
        fitting pattern: String, in context: StepContext
    ) async throws(ReportFault) -> [String] {
        do {
            let command = Command.Glob(pattern, in: context.workdir)
            guard case .names(let paths) = try await context.run(.glob(command)).value
            else { return [] }
            return paths
        } catch {
            throw ReportFault(error)
        }
    }

    private func content(
        of path: String, in context: StepContext
    ) async throws(ReportFault) -> String {
        var bytes: [UInt8] = []
        do {
            let command = Command.UploadFile(path, maxByteCount: Self.reportLimit)
            _ = try await context.run(.uploadFile(command)) { update in
                if case .content(let piece) = update.content { bytes += piece }
            }
        } catch {
            throw ReportFault(error)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The reason why tests could not be counted.
private struct ReportFault: Error {
    let reason: String
    let message: String

    init(_ reason: String, _ remedy: String) {
        self.reason = reason
        message = "\(reason); \(remedy)"
    }

    init(_ error: any Error) {
        reason = (error as? CommandError)?.reason ?? "\(error)"
        message = "\(error)"
    }
}

/// The setting `junit`: a path or pattern, or a list of them.
struct ReportPatterns: SettingValue {
    let texts: [String]

    static var shape: String { "a path or pattern such as build/*.xml, or a list" }

    static var form: ValueForm { .either([.text, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportPatterns? {
        guard let items = node.sequence else {
            return decoder.decode(WorkerPath.self, from: node).map {
                ReportPatterns(texts: [$0.text])
            }
        }
        let paths = items.compactMap { decoder.decode(WorkerPath.self, from: $0)?.text }
        return paths.count == items.count ? ReportPatterns(texts: paths) : nil
    }
}
