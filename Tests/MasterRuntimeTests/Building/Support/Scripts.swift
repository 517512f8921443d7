import MasterKit
import Synchronization

/// The behavior of the steps in a test's master.yaml, by name.
final class Scripts: Sendable {
    typealias Script = @Sendable (StepContext) async throws -> Results

    static let all = Scripts()

    private let scripts = Mutex<[String: Script]>([:])
    private let listeners = Mutex<[String: Listener]>([:])

    func add(_ script: @escaping Script, named name: String) {
        scripts.withLock { $0[name] = script }
    }

    func remove(beginningWith prefix: String) {
        scripts.withLock { $0 = $0.filter { !$0.key.hasPrefix(prefix) } }
        listeners.withLock { $0 = $0.filter { !$0.key.hasPrefix(prefix) } }
    }

    func run(_ name: String, in context: StepContext) async throws -> Results {
        guard let script = scripts.withLock({ $0[name] }) else { throw MissingScript(name: name) }
        return try await script(context)
    }
}

struct MissingScript: Error {
    let name: String
}

/// `steps.Play: $name`: runs a script of the test.
struct Play: Step {
    static let summary = "Does what a test says."

    @Setting("The script.", .primary) var script: String

    func run(in context: StepContext) async throws -> Results {
        try await Scripts.all.run(script, in: context)
    }
}

/// `steps.Give: failure`: immediately returns a result.
struct Give: Step {
    static let summary = "Ends with a result."

    @Setting("The result.", .primary) var result: Results
    @Setting("The summary.") var says: String?

    func run(in context: StepContext) async throws -> Results {
        if let says { await context.setSummary(says) }
        return result
    }
}

/// Counts how many scripts run at once.
final class ConcurrencyCount: Sendable {
    private let state = Mutex((now: 0, most: 0))

    /// The most that ran at once.
    var most: Int { state.withLock(\.most) }

    func counting(_ body: () async -> Void) async {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
        await body()
        state.withLock { $0.now -= 1 }
    }
}

/// Waits until the task is cancelled, like a command that never ends.
func neverEnd() async throws {
    try await Task.sleep(for: .seconds(3600))
}

extension Scripts {
    typealias Listener = @Sendable (String) throws -> Void

    /// Notifies the listener of a name.
    func note(_ name: String, _ what: String) async throws {
        try listeners.withLock { $0[name] }?(what)
    }

    func add(_ listener: @escaping Listener, named name: String) {
        listeners.withLock { $0[name] = listener }
    }
}
