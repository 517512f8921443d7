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
                .output: "key <token>\nplain\nrunning <token>\n",
                .error: "warning: <token>\nerror: <made>\n",
            ])
    }
}
