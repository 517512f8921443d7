import MasterKit
import Synchronization
import SystemPackage
import Testing

@testable import MasterCommand
@testable import MasterRuntime

/// Questions about failed steps, answered through a pipe in place of a terminal.
@Suite(.timeLimit(.minutes(1)))
struct FailurePauseTests {
    private let step = FailedStep(
        builder: "b", build: 1, number: 1, name: "s", results: .failure, stateString: "",
        workdir: "/", environment: [:], logs: [])

    private func withPipe(
        _ body: (_ readEnd: FileDescriptor, _ writeEnd: FileDescriptor) async throws -> Void
    ) async throws {
        let ends = try FileDescriptor.pipe()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(ends.readEnd, ends.writeEnd))
        } catch {
            outcome = .failure(error)
        }
        try ends.readEnd.close()
        try ends.writeEnd.close()
        try outcome.get()
    }

    /// Reads as another program would.
    private func take(_ count: Int, from descriptor: FileDescriptor) throws -> String {
        let bytes = try POSIX.read(descriptor.rawValue, maxByteCount: count)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `what is typed after a question is cancelled goes to the next reader`()
        async throws
    {
        try await withPipe { readEnd, writeEnd in
            let input = LineInput(readEnd)
            for round in 0..<50 {
                let question = Task { await input.next() }
                for _ in 0..<round { await Task.yield() }
                question.cancel()
                #expect(await question.value == nil)
            }
            try writeEnd.writeAll("shell\n".utf8)
            #expect(try take(6, from: readEnd) == "shell\n")
            try writeEnd.writeAll("answer\nshell\n".utf8)
            #expect(await input.next() == "answer")
            #expect(try take(6, from: readEnd) == "shell\n")
        }
    }

    @Test func `a stopped build waits for no question about another build`() async throws {
        try await withPipe { readEnd, writeEnd in
            let questions = Mutex(0)
            let console = Console(environment: [:]) { _, bytes in
                if String(decoding: bytes, as: UTF8.self).contains("retry (r)") {
                    questions.withLock { $0 += 1 }
                }
                return nil
            }
            func wait(forQuestions count: Int) async {
                while questions.withLock({ $0 }) < count { await Task.yield() }
            }
            let pause = FailurePause(console, [:], input: LineInput(readEnd))
            let open = Task { await pause.decide(step) }
            await wait(forQuestions: 1)
            let stopped = Task { await pause.decide(step) }
            let next = Task { await pause.decide(step) }
            stopped.cancel()
            #expect(await stopped.value == .goOn)
            try writeEnd.writeAll("r\n".utf8)
            #expect(await open.value == .retry)
            await wait(forQuestions: 2)
            try writeEnd.writeAll("s\n".utf8)
            #expect(await next.value == .skip)
            #expect(questions.withLock { $0 } == 2)
        }
    }
}
