internal import MasterKit

/// Runs one step of a build and records its result.
struct StepRunner: Sendable {
    let step: StepPlan.Planned
    /// The name, unique in the build.
    let name: String
    let number: Int
    let build: BuildState
    let worker: any Worker
    let shared: BuildEnvironment
    let session: HTTPSession
    let control: BuildControl
    let submissions: Submissions

    /// The step with its build, for messages of the master's log.
    private var place: String { "\(build.name), step '\(name)'" }

    /// Runs the step.
    ///
    /// - Returns: Whether the build ends after this step.
    func run() async -> Bool {
        let id = shared.store.makeStepID()
        let host = StepSession(
            number: number, name: name, place: step.place, running: step.running,
            session: session, build: build, worker: worker, shared: shared,
            submissions: submissions, stepID: id)
        await begin(id)
        let outcome = await decidedOutcome(host)
        var ending = await ending(of: await addingLinks(to: outcome, host), host)
        do {
            try await host.close()
        } catch {
            shared.logger.error("\(place): \(error)")
            ending = Ending(.exception, "exception: log not written")
        }
        return await finish(ending, id)
    }

    private func begin(_ id: Int) async {
        let buildID = build.build.id
        let name = shared.mask.masked(name)
        await shared.store.post { [number] transaction in
            try transaction.newStep(id: id, buildID: buildID, number: number, name: name)
        }
        let running = shared.mask.masked(state: step.running.first)
        await shared.store.post { transaction in
            try transaction.startStep(id, stateString: running)
        }
    }

    /// The outcome of the step, or of its last try, after what a user decides about failures.
    private func decidedOutcome(_ host: StepSession) async -> StepOutcome {
        var retries = 0
        while true {
            let outcome = await outcome(host)
            guard let question = shared.aids.failureQuestion, control.stopReason == nil,
                !control.isTimedOut, [.failure, .exception].contains(outcome.results),
                outcome.effect(step.policy).contribution != .success
            else { return outcome }
            let failed = await host.failed(
                outcome.results, await self.ending(of: outcome, host).text.value)
            switch await control.ask(question, about: failed) {
            case .goOn: return outcome
            case .skip: return StepOutcome(.skipped)
            case .abort:
                control.stop("aborted after a failure")
                return outcome
            case .retry:
                retries += 1
                await host.begin("run \(retries + 1)")
            }
        }
    }

    // MARK: The work

    private func outcome(_ host: StepSession) async -> StepOutcome {
        do {
            if let fault = step.fault { throw fault }
            guard try step.options.doStepIf.render(in: host.renderContext) else {
                return StepOutcome(.skipped)
            }
        } catch {
            return await exception(error, host)
        }
        let outcome = await control.run(alwaysRun: step.policy.alwaysRun) { await work(host) }
        guard outcome.results == .cancelled else { return outcome }
        if let reason = control.stopReason {
            await write("cancelled", reason, host)
            return outcome
        }
        guard control.isTimedOut else { return outcome }
        await write("timeout", "ended as the build took longer than its maxTime", host)
        return StepOutcome(.failure, isTimedOut: true)
    }

    private func work(_ host: StepSession) async -> StepOutcome {
        var logger = shared.logger
        logger[metadataKey: "build"] = .string(build.name)
        logger[metadataKey: "step"] = .string(name)
        let context = StepContext(name: name, number: number, logger: logger, host: host)
        do {
            let results = try await host.withLocks(try locks(host)) {
                let limit = try step.options.maxTime?.render(in: host.renderContext)
                return try await run(context, within: limit, host)
            }
            let wasStopped = Task.isCancelled && results != .success
            return StepOutcome(
                wasStopped ? .cancelled : results, isTimedOut: host.isTimedOut && !wasStopped)
        } catch let error as StepDeadline.Passed {
            if !error.isEnforcedByCommand { await write("timeout", "\(error)", host) }
            return StepOutcome(.failure, isTimedOut: true)
        } catch let error where Task.isCancelled {
            shared.logger.debug("\(place) was stopped: \(error)")
            return StepOutcome(.cancelled)
        } catch let error as WorkerLost {
            shared.logger.warning("\(place): \(error)")
            build.noteLoss()
            return StepOutcome(.retry)
        } catch is LogFault {
            // Reported when the logs are closed.
            return StepOutcome(.exception)
        } catch {
            return await exception(error, host)
        }
    }

    private func locks(_ host: StepSession) throws(RenderError) -> [LockDemand] {
        try step.options.locks.render(in: host.renderContext).demands(
            limits: shared.configuration.locks,
            heldByBuilder: Set(build.builder.locks.map(\.name))
        ).map { $0.on(worker.name) }
    }

    private func run(
        _ context: StepContext, within limit: Duration?, _ host: StepSession
    ) async throws -> Results {
        let plugin = step.declaration.plugin
        let retry = try step.options.retry.render(in: host.renderContext).map(StepRetry.init)
        guard let limit else {
            return try await run(retrying: retry, host) { try await plugin.run(in: context) }
        }
        let deadline = StepDeadline(limit)
        host.limit(by: deadline)
        return try await deadline.run {
            try await run(retrying: retry, host) { try await plugin.run(in: context) }
        }
    }

    /// Runs the work, repeating it while its outcome is one that the policy retries.
    private func run(
        retrying retry: StepRetry?, _ host: StepSession, _ work: () async throws -> Results
    ) async throws -> Results {
        guard let retry else { return try await work() }
        var attempt = 1
        while true {
            let outcome: Result<Results, any Error>
            do {
                outcome = .success(try await work())
            } catch {
                outcome = .failure(error)
            }
            guard attempt < retry.attempts, !Task.isCancelled,
                let reason = retry.reason(for: outcome, isTimedOut: host.isTimedOut)
            else { return try outcome.get() }
            let wait = retry.policy.wait(after: attempt, standard: RetryPolicy.standardWaits)
            let count = retry.attempts
            try await host.note(
                "Try \(attempt) of \(count) ended as \(shared.mask.apply(to: reason)); "
                    + "try \(attempt + 1) follows in \(wait.inSeconds)")
            try await host.clock.sleep(for: wait)
            attempt += 1
            await host.begin("try \(attempt) of \(count)")
        }
    }

    private func exception(_ error: any Error, _ host: StepSession) async -> StepOutcome {
        shared.logger.debug("\(name): \(error)")
        await host.setSummary(words(of: error))
        await write("err.text", "\(error)", host)
        return StepOutcome(.exception)
    }

    /// An error's message without its remedy, short enough for a state text.
    private func words(of error: any Error) -> String {
        shared.mask.apply(to: (error as? RenderError)?.message ?? "\(error)").firstClause
    }

    private func write(_ log: String, _ text: String, _ host: StepSession) async {
        do {
            try await host.writeLog(log, text)
        } catch {
            shared.logger.error("\(place): \(text); and \(error)")
        }
    }

    // MARK: After

    /// Attaches the links of the setting `urls`; if they can't be computed, a step that has done its
    /// work ends as exception, as their texts may depend on it.
    private func addingLinks(to outcome: StepOutcome, _ host: StepSession) async -> StepOutcome {
        guard outcome.results != .skipped, step.fault == nil else { return outcome }
        do {
            let links = try step.options.urls.render(in: host.renderContext)
            for (name, url) in links { await host.addURL(name, url) }
            return outcome
        } catch {
            guard [.success, .warnings].contains(outcome.results) else {
                shared.logger.warning("\(place): its links are not known: \(error)")
                return outcome
            }
            return await exception(error, host)
        }
    }

    /// The result of a step and its state string.
    private struct Ending {
        let results: Results
        let text: Masked<String>
        var isHidden = false

        init(_ results: Results, _ text: Masked<String>, isHidden: Bool = false) {
            self.results = results
            self.text = text
            self.isHidden = isHidden
        }
    }

    private func ending(of outcome: StepOutcome, _ host: StepSession) async -> Ending {
        var context = build.renderContext
        context.results = outcome.results
        do {
            let text = try step.options.finishedText(
                outcome, summary: host.summary, attempt: host.attempt, in: context)
            let isHidden = try step.options.hideStepIf.render(in: context)
            return Ending(
                outcome.results, shared.mask.masked(state: text.words, text.suffix),
                isHidden: isHidden)
        } catch {
            let results = await exception(error, host).results
            return Ending(results, shared.mask.masked(state: "exception: \(words(of: error))"))
        }
    }

    private func finish(_ ending: Ending, _ id: Int) async -> Bool {
        await shared.store.post { transaction in
            try transaction.finishStep(
                id, results: ending.results, stateString: ending.text, isHidden: ending.isHidden)
        }
        let (contribution, ends) = StepOutcome(ending.results).effect(step.policy)
        build.contribute(contribution)
        let told = step.options.updateBuildSummaryPolicy ?? step.policy.told
        if told.tells(ending.results) { build.tell(ending.text.value) }
        return ends
    }
}
