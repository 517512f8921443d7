internal import Dispatch
internal import Glibc
internal import MasterKit
internal import MasterRuntime
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// Asks at the terminal what becomes of a step that failed, about one step at a time.
actor FailurePause {
    private let console: Console
    private let environment: [String: String]
    private let input = LineInput()
    private var isBusy = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(_ console: Console, _ environment: [String: String]) {
        self.console = console
        self.environment = environment
    }

    /// Whether somebody can be asked.
    static var isPossible: Bool {
        isatty(STDIN_FILENO) == 1 && StandardStream.output.isTerminal
    }

    /// Asks; a step whose build is stopped meanwhile fails.
    func decide(_ step: FailedStep) async -> FailureDecision {
        await begin()
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
        } catch {
            await console.complain(["\(shell) cannot be run in \(step.workdir): \(error)"])
        }
    }

    // MARK: One at a time

    private func begin() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { waiters.append($0) }
    }

    private func end() {
        guard !waiters.isEmpty else {
            isBusy = false
            return
        }
        waiters.removeFirst().resume()
    }
}

/// Reads lines of standard input without blocking the threads of tasks.
private final class LineInput: Sendable {
    private let queue = DispatchQueue(label: "input")
    private let reader = Mutex<CheckedContinuation<String?, Never>?>(nil)

    /// The next line; `nil` at the end of the input, or when the task is cancelled. After that, the
    /// thread that reads is left behind, and takes the next line.
    func next() async -> String? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                reader.withLock { $0 = continuation }
                if Task.isCancelled { return resume(nil) }
                queue.async { self.resume(readLine()) }
            }
        } onCancel: {
            resume(nil)
        }
    }

    private func resume(_ line: String?) {
        let continuation = reader.withLock { $0.take() }
        continuation?.resume(returning: line)
    }
}
