import MasterRuntime
import Testing

struct LocalWorkerTests {
    @Test func `a worker is called local unless it is named`() {
        #expect(LocalWorker(root: "/tmp").name == "local")
        #expect(LocalWorker(root: "/tmp", name: "w2").name == "w2")
    }

    @Test func `a root that is not absolute is a fault of the program`() async {
        await #expect(processExitsWith: .failure) {
            _ = LocalWorker(root: "relative")
        }
    }
}
