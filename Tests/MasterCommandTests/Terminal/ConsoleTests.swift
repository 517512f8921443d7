import Dispatch
import MasterKit
import Synchronization
import Testing

@testable import MasterCommand

struct ConsoleTests {
    @Test func `secrets of the run are hidden on both streams, whoever writes`() async throws {
        let written = Mutex<[StandardStream: String]>([:])
        let console = Console(environment: [:]) { stream, bytes in
            written.withLock {
                $0[stream, default: ""] += String(decoding: bytes, as: UTF8.self)
            }
            return nil
        }
        let mask = SecretMask([("token", "hunter2-hunter2")])
        console.hide(mask)
        await console.print(["key hunter2-hunter2", "plain"])
        await console.complain(["warning: hunter2-hunter2"])
        try mask.hide("made-by-a-step", as: "made")
        console.post(["error: made-by-a-step"])
        await console.show(live: ["running hunter2-hunter2"])
        await console.flush()
        #expect(
            written.withLock { $0 } == [
                .output: "key <token>\nplain\n\u{1B}[?7lrunning <token>\n\u{1B}[?7h",
                .error: "warning: <token>\nerror: <made>\n",
            ])
    }

    @Test func `output can't give commands to GitHub's log viewer`() async {
        let written = Mutex("")
        let console = Console(environment: ["GITHUB_ACTIONS": "true"]) { _, bytes in
            written.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            return nil
        }
        await console.print(["::error::a", "  ::warning::b", "x ##[error]c", "a::b"])
        await console.complain(["::error::d"])
        await console.command(["::error::ours"])
        await console.flush()
        #expect(
            written.withLock { $0 } == """
                :\u{200B}:error::a
                  :\u{200B}:warning::b
                x #\u{200B}#[error]c
                a::b
                :\u{200B}:error::d
                ::error::ours

                """)
    }

    @Test func `no complaint is lost while the output is blocked, and dropped lines are counted`()
        async
    {
        let written = Mutex("")
        let gate = DispatchSemaphore(value: 0)
        let console = Console(environment: [:]) { _, bytes in
            if bytes.count > Console.bound { gate.wait() }
            let text = String(decoding: bytes.prefix(100), as: UTF8.self)
            written.withLock { $0 += text }
            return nil
        }
        let flood = String(repeating: "x", count: Console.bound)
        async let printed: Void = console.print(flood)
        // Until the flood is in the buffer, so that there is no room.
        while console.bufferedByteCount <= Console.bound { await Task.yield() }
        let count = console.bufferedByteCount
        async let complaint: Void = console.complain(["warning: kept"])
        while console.bufferedByteCount == count { await Task.yield() }
        console.post(["dropped", "dropped, too"])
        gate.signal()
        await printed
        await complaint
        await console.flush()
        #expect(
            written.withLock { $0.drop { $0 == "x" } }
                == "warning: kept\n(2 lines omitted, because the output is too slow)\n")
    }
}
