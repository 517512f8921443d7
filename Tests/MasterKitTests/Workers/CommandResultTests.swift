import MasterKit
import Testing

struct CommandResultTests {
    static let cases: [(CommandResult, String, Bool)] = [
        (.init(elapsed: .zero), "exit code 0", true),
        (.init(.exited(code: 2), elapsed: .zero), "exit code 2", false),
        (.init(.killed(signal: 9), elapsed: .zero), "killed by signal 9 (SIGKILL)", false),
        (.init(.killed(signal: 40), elapsed: .zero), "killed by signal 40", false),
        (
            .init(timedOut: .silence(.seconds(1200)), elapsed: .zero),
            "timed out: 1200 seconds without output", false
        ),
        (
            .init(timedOut: .total(.seconds(1)), elapsed: .zero), "timed out: ran for 1 second",
            false
        ),
    ]

    @Test(arguments: cases)
    func `a result says how the command ended`(
        _ result: CommandResult, _ words: String, _ isSuccess: Bool
    ) {
        #expect(result.description == words)
        #expect(result.isSuccess == isSuccess)
    }

    @Test func `a lost worker says which and why`() {
        let lost = WorkerLost(worker: "w1", reason: "the connection closed")
        #expect("\(lost)" == "worker w1 is lost: the connection closed")
    }
}
