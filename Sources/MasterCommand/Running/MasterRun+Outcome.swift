internal import FoundationEssentials
internal import MasterKit
internal import MasterReceiver
internal import MasterRuntime

extension MasterRun {
    /// The outcome of a run.
    struct Outcome: Sendable {
        /// The builds in the order they ended, including retried ones.
        var builds: [FinishedBuild]
        /// The state of every delivery.
        var deliveries: DeliverySummary
    }

    /// Shows the outcome.
    ///
    /// - Returns: The worst result.
    func show(
        _ outcome: Outcome, _ duration: Duration, _ interruption: Interruption
    ) async -> Results? {
        let traits = console.output
        let width = traits.canRedraw ? console.size.columns : Self.plainWidth
        let views = await outcome.builds.asyncMap { await view(of: $0) }
        let table = BuildTable(traits)
        if detail == .quiet {
            let failures = table.lines(views.filter(\.isFailed), width: width)
            await console.print(failures)
        } else {
            let deliveries = DeliveryTable(traits).lines(
                outcome.deliveries, reporters: configuration.reporters.map(\.name), width: width)
            let builds = table.lines(views, width: width) + views.flatMap(\.build.links)
            await console.print([""] + builds + deliveries + [""])
        }
        await console.command(annotations(views))
        let counted = zip(outcome.builds, views).filter { !$0.0.isRetried }.map(\.1.build)
        let summary = RunSummary(
            notStarted: word(for: interruption) == nil ? [] : notStarted(outcome.builds),
            builds: counted, deliveries: outcome.deliveries, duration: duration,
            receiverOption: await receiverOption(outcome.deliveries.deliveries),
            advice: advice,
            interruption: word(for: interruption))
        await console.print(summary.lines(TextPainter(hasColour: traits.hasColour)))
        return summary.results
    }

    /// Why not everything was built, or `nil` if it was.
    private func word(for interruption: Interruption) -> String? {
        interruption.signal?.word ?? (workerWait?.hasGivenUp == true ? "incomplete" : nil)
    }

    /// The requested builders without a build.
    private func notStarted(_ builds: [FinishedBuild]) -> [String] {
        let begun = Set(builds.map(\.builder))
        let requested =
            request.builders
            ?? configuration.builders.filter { !$0.isTriggeredOnly }.map(\.name)
        return requested.filter { !begun.contains($0) }
    }

    /// Writes the outcome as the last line of JSON.
    ///
    /// - Returns: The worst result.
    func write(
        _ outcome: Outcome, _ duration: Duration, _ interruption: Interruption
    ) async -> Results? {
        let builds = outcome.builds.filter { !$0.isRetried }
        let worst = builds.map { BuildView($0) }.worstResults
        await console.print(
            EventLines.line(
                "run.finished", at: Date(),
                [
                    "results": .optional(worst?.rawValue),
                    "result_name": .optional(worst?.name), "builds": .int(builds.count),
                    "duration_ms": .int(Int(duration / .milliseconds(1))),
                    "interruption": .optional(word(for: interruption)),
                    "unimportant_builds": .array(
                        builds.filter(\.isUnimportant).map { .int($0.build.id) }),
                    "not_reached": .array(builds.compactMap(\.notReachedRecord)),
                    "reports_delivered": .int(outcome.deliveries.deliveredCount),
                    "reports_kept": .int(outcome.deliveries.openCount),
                ]))
        return worst
    }

    /// Shows that the store failed; the reason is omitted if it was already logged.
    func show(_ error: StoreError, _ duration: Duration, _ loggedErrors: LoggedErrors) async {
        if !loggedErrors.contain("\(error)") {
            let paint = TextPainter(hasColour: console.error.hasColour)
            await console.complain("\(paint(.boldRed, "error:")) \(error)".lines)
        }
        guard !isJSON else { return }
        let paint = TextPainter(hasColour: console.output.hasColour)
        await console.print(paint(.red, "failure") + ": aborted after \(duration.forPeople)")
    }

    /// The option that starts a receiver for reports sent to an address where nothing listens.
    private func receiverOption(_ deliveries: [DeliveryStatus]) async -> String? {
        guard receiver == nil else { return nil }
        let refused = deliveries.first {
            $0.state == .open && $0.attempts > 0 && $0.status == nil && $0.receiver != nil
        }
        guard let address = ReceiverSuggestion.address(for: refused?.receiver) else { return nil }
        do {
            let configuration = ReceiverConfiguration(address: address)
            try await Receiver.run(configuration, onRequest: { _ in }) { _ in }
            return ReceiverSuggestion.option(for: address)
        } catch {
            return nil  // somebody does listen there, or nobody can
        }
    }

    /// The width of lines without a terminal.
    private static let plainWidth = 160

    /// A finished build with the lines of its logs that matter.
    private func view(of finished: FinishedBuild) async -> FinishedView {
        let build = BuildView(finished)
        var view = FinishedView(build: build, notReached: finished.notReached)
        guard !finished.isRetried else { return view }
        for step in build.failedSteps {
            // The lines of a log of warnings are among those of the command's output.
            let paths = finished.logs[step.number] ?? []
            for path in paths.count > 1 ? paths.filter({ !$0.contains("-warnings__") }) : paths {
                let shown = shortened(path)
                do {
                    view.logs[step.id, default: []].append(
                        FailureLog(path: shown, tail: try LogTail(ofFile: path)))
                } catch {
                    await context.console.complain([
                        "warning: the log \(shown) cannot be read: \(error)"
                    ])
                }
            }
        }
        return view
    }

    /// The failed steps as annotations for GitHub's log viewer.
    private func annotations(_ views: [FinishedView]) -> [String] {
        guard console.output.wantsAnnotations else { return [] }
        return views.flatMap { view in
            view.build.failedSteps.map { step in
                let cause = (view.logs[step.id] ?? []).lazy.compactMap(\.tail.cause).first
                let lines = [step.remark] + (cause.map { [$0.text] } ?? [])
                let message = secrets.mask.apply(to: lines.joined(separator: "\n"))
                let title = "\(view.build.title) \(step.name.makingControlsVisible())"
                let parameters = cause.flatMap { place(of: $0) } ?? []
                return DiagnosticPrinter.command(
                    view.build.isUnimportant ? "warning" : "error", parameters + [("title", title)],
                    message)
            }
        }
    }

    /// The file and line of a failure, as parameters of an annotation.
    private func place(of cause: FailureCause) -> [(String, String)]? {
        guard let file = cause.file, let line = cause.line else { return nil }
        return [("file", shortened(secrets.mask.apply(to: file))), ("line", "\(line)")]
    }

    /// The path relative to the current folder if it is inside it.
    private func shortened(_ path: String) -> String {
        let current = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(current) ? String(path.dropFirst(current.count)) : path
    }
}

extension FinishedBuild {
    /// The steps that the build ended before, for the last line of JSON; `nil` if there are none.
    fileprivate var notReachedRecord: JSONValue? {
        guard !notReached.isEmpty else { return nil }
        return [
            "buildid": .int(build.id), "steps": .array(notReached.map { .string($0) }),
        ]
    }
}

extension Sequence {
    /// Transforms the elements, one after the other.
    fileprivate func asyncMap<Value>(_ transform: (Element) async -> Value) async -> [Value] {
        var values: [Value] = []
        for element in self { values.append(await transform(element)) }
        return values
    }
}

/// How long a run waits for reports at the end.
struct DrainTime: Sendable {
    /// The maximum time.
    let limit: Duration
    /// Whether to also wait for a receiver that was never reachable.
    let isPatient: Bool

    /// The default.
    static let standard = DrainTime(limit: .seconds(10), isPatient: false)

    /// A time requested by the user.
    static func patient(_ limit: Duration) -> DrainTime {
        DrainTime(limit: limit, isPatient: true)
    }
}
