internal import Glibc
internal import MasterKit
internal import MasterRuntime
internal import OrderedCollections
internal import Subprocess
internal import SystemPackage

/// Asks at the terminal what becomes of a step that failed, about one step at a time.
actor FailurePause {
    private let console: Console
    private let environment: [String: String]
    private let input: LineInput
    private var isBusy = false
    private var lastTurn = 0
    /// The questions that wait for their turn, in order.
    private var waiters: OrderedDictionary<Int, CheckedContinuation<Bool, Never>> = [:]

    init(_ console: Console, _ environment: [String: String], input: LineInput = LineInput()) {
        self.console = console
        self.environment = environment
        self.input = input
    }

    /// Whether somebody can be asked.
    static var isPossible: Bool {
        isatty(STDIN_FILENO) == 1 && StandardStream.output.isTerminal
    }

    /// Asks; a step whose build is stopped meanwhile fails at once, whether or not its turn has come.
    func decide(_ step: FailedStep) async -> FailureDecision {
        guard await begin() else { return .goOn }
        defer { end() }
        console.hold(true)
        defer { console.hold(false) }
        await console.print(Self.lines(step, TextPainter(hasColour: console.output.hasColour)))
        while !Task.isCancelled {
            await console.print("retry (r), skip (s), open a shell (h), or abort the build (a)?")
            guard let answer = await input.next() else { return .goOn }
            switch answer.lowercased() {
            case "r", "retry": return .retry
            case "s", "skip": return .skip
            case "a", "abort": return .abort
            case "h", "shell": await openShell(step)
            default: break
            }
        }
        return .goOn
    }

    private static func lines(_ step: FailedStep, _ paint: TextPainter) -> [String] {
        let title = "\(step.builder) #\(step.build)  \(step.number) \(step.name)"
        let state = step.stateString.makingControlsVisible()
        return ["", paint(.boldRed, title.makingControlsVisible()) + "  \(state)"]
            + step.logs.map { "  log: \($0)" }
    }

    private func openShell(_ step: FailedStep) async {
        let shell = environment["SHELL"].flatMap { $0.isEmpty ? nil : $0 } ?? "/bin/sh"
        await console.print("\(shell) in \(step.workdir), as the step had it; 'exit' returns")
        await console.flush()
        let variables = step.environment.compactMap { name, value in
            Environment.Key(rawValue: name).map { ($0, value) }
        }
        do {
            _ = try await Subprocess.run(
                .path(FilePath(shell)), arguments: ["-i"],
                environment: .custom(Dictionary(uniqueKeysWithValues: variables)),
                workingDirectory: FilePath(step.workdir),
                input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false),
                output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false))
        } catch  where Task.isCancelled {
            return  // The build was stopped, and the shell with it.
        } catch {
            await console.complain(["\(shell) cannot be run in \(step.workdir): \(error)"])
        }
    }

    // MARK: One at a time

    /// Waits for the turn of a question.
    ///
    /// - Returns: Whether it has come; otherwise, the task was cancelled.
    private func begin() async -> Bool {
        guard isBusy else {
            isBusy = true
            return true
        }
        lastTurn += 1
        let turn = lastTurn
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: false) }
                waiters[turn] = continuation
            }
        } onCancel: {
            // Ends at once; the actor can't be entered from here.
            Task { await leave(turn) }
        }
    }

    private func leave(_ turn: Int) {
        waiters.removeValue(forKey: turn)?.resume(returning: false)
    }

    private func end() {
        guard !waiters.isEmpty else {
            isBusy = false
            return
        }
        waiters.removeFirst().value.resume(returning: true)
    }
}
