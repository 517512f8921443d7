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
}
