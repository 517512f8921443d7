internal import MasterKit

/// Runs one step of a build: decides, runs, records, and says how it went.
struct StepRunner: Sendable {
    let declaration: PluginDeclaration<any Step>
    let options: StepOptions
    let name: String
    let number: Int
    let place: StepPlace
    let policy: StepPolicy
    /// What could not be rendered before the step began; the step ends as exception with it.
    let fault: RenderError?
    let build: BuildState
    let shared: BuildEnvironment
    let session: HTTPSession
    let control: BuildControl

    /// Runs the step.
    ///
    /// - Returns: Whether the build ends here.
    func run() async -> Bool {
        let (id, buildID) = (shared.store.makeStepID(), build.build.id)
        await shared.store.post { [number, name] transaction in
            try transaction.newStep(id: id, buildID: buildID, number: number, name: name)
        }
        let host = makeHost(id)
        let running = running(host)
        await shared.store.post { transaction in
            try transaction.startStep(id, stateString: running)
        }
        var outcome = await outcome(host)
        do {
            try await host.close()
        } catch {
            shared.logger.error("\(name): \(error)")
            outcome = StepOutcome(.exception)
        }
        return await finish(outcome, host, id)
    }

    // MARK: Before

    private func makeHost(_ id: Int) -> StepSession {
        StepSession(
            number: number, place: place, session: session, build: build, shared: shared,
            stepID: id)
    }

    private func running(_ host: StepSession) -> String {
        do {
            return try StepTexts(options).running(in: host.renderContext) ?? "running"
        } catch {
            return "running"
        }
    }

    // MARK: The work

    private func outcome(_ host: StepSession) async -> StepOutcome {
        do {
            if let fault { throw fault }
            guard try options.doStepIf.render(in: host.renderContext) else {
                return StepOutcome(.skipped)
            }
        } catch {
            return await exception(error, host)
        }
        let outcome = await control.run(alwaysRun: policy.alwaysRun) { await work(host) }
        guard outcome.results == .cancelled, let reason = control.stopReason else {
            return outcome
        }
        await write("cancelled", reason, host)
        return outcome
    }

    private func work(_ host: StepSession) async -> StepOutcome {
        var logger = shared.logger
        logger[metadataKey: "step"] = .string(name)
        let context = StepContext(name: name, number: number, logger: logger, host: host)
        do {
            let limit = try options.maxTime?.render(in: host.renderContext)
            let results = try await StepDeadline.run(within: limit) {
                try await declaration.plugin.run(in: context)
            }
            let wasStopped = Task.isCancelled && results != .success
            return StepOutcome(
                wasStopped ? .cancelled : results, isTimedOut: host.isTimedOut && !wasStopped)
        } catch is StepDeadline {
            return StepOutcome(.failure, isTimedOut: true)
        } catch let error where Task.isCancelled {
            shared.logger.debug("\(name) was stopped: \(error)")
            return StepOutcome(.cancelled)
        } catch let error as WorkerLost {
            shared.logger.warning("\(name): \(error)")
            return StepOutcome(.retry)
        } catch {
            return await exception(error, host)
        }
    }

    private func exception(_ error: any Error, _ host: StepSession) async -> StepOutcome {
        await write("err.text", "\(error)", host)
        return StepOutcome(.exception)
    }

    private func write(_ log: String, _ text: String, _ host: StepSession) async {
        do {
            try await host.writeLog(log, text, kind: .text)
        } catch {
            shared.logger.error("\(name): \(error)")
        }
    }

    // MARK: After

    private func finish(
        _ outcome: StepOutcome, _ host: StepSession, _ id: Int
    ) async -> Bool {
        var outcome = outcome
        var context = build.renderContext
        context.results = outcome.results
        var text = "finished (exception)"
        var isHidden = false
        do {
            text = try StepTexts(options).done(
                outcome, summary: host.summary, given: declaration.hasOwnDescription, in: context)
            isHidden = try options.hideStepIf.render(in: context)
        } catch {
            shared.logger.error("\(name): \(error)")
            outcome = StepOutcome(.exception)
        }
        let (results, told, hidden) = (outcome.results, shared.mask.apply(to: text), isHidden)
        await shared.store.post { transaction in
            try transaction.finishStep(
                id, results: results, stateString: told, isHidden: hidden)
        }
        let (contribution, ends) = outcome.effect(policy)
        build.contribute(contribution)
        if (options.updateBuildSummaryPolicy ?? policy.told).tells(results) { build.tell(told) }
        return ends
    }
}
