import FoundationEssentials
import MasterKit
import OrderedCollections
import Testing

@testable import MasterWorkers

/// What workers send, what they may not, and what they are never told.
@Suite(.timeLimit(.minutes(1)))
struct WorkerConnectionTests {
    private static func worker(basedir: MessagePack = "/srv/w/w1") throws -> RemoteWorker {
        let names = [
            "shell", "mkdir", "rmdir", "cpdir", "stat", "glob", "listdir", "upload_file",
            "download_file",
        ]
        return RemoteWorker(
            WorkerConnection(worker: "w1", address: "127.0.0.1"),
            try WorkerInfo(
                .map([
                    "version": "4.3.0", "system": "posix", "basedir": basedir,
                    "environ": .map(["A": "b"]), "host": "a machine\n",
                    "worker_commands": .map(
                        OrderedDictionary(uniqueKeysWithValues: names.map { ($0, "3.3") })),
                ])))
    }

    @Test(arguments: [
        "/", "//", "", "w1", "/etc", "/srv/w", "/srv/w/w1", "/srv/w/w1/", "/srv/w/w1/.",
        "/srv/w/w1/b/..", "/srv/w/w1/../w2", "/srv/w/w10/x", "/srv/w/w1/b/../../../../etc",
        "/srv/w/w1/a\0/b",
    ])
    func `nothing outside of its base directory is removed on a worker`(path: String) throws {
        let worker = try Self.worker()
        #expect(throws: CommandError.self) { try OwnPath(path, to: "removed", on: worker) }
    }

    @Test func `paths to be removed are sent as a list of absolute paths`() throws {
        let path = try OwnPath("/srv/w/w1/b/./c/../d/", to: "removed", on: try Self.worker())
        #expect(WireCommand.rmdir(path).arguments["paths"] == ["/srv/w/w1/b/d"])
    }

    @Test(arguments: ["/", "relative", ""])
    func `a worker with a wrong base directory is refused`(basedir: String) {
        #expect(throws: ConnectionEnd.self) { try Self.worker(basedir: .text(basedir)) }
    }

    private static func message(
        _ operation: MessagePack, _ more: OrderedDictionary<String, MessagePack> = [:]
    ) -> [UInt8] {
        let head: OrderedDictionary<String, MessagePack> = ["op": operation, "seq_number": 0]
        return MessagePack.map(head.merging(more) { $1 }).encoded
    }

    static let hostile: [([UInt8], String)] = [
        ([0xc1], "invalid message"),
        (MessagePack.list([]).encoded, "without 'op'"),
        (MessagePack.map(["op": "update"]).encoded, "without 'op'"),
        (message(1), "without 'op'"),
        (message("update"), "without a command"),
        (message("update", ["command_id": "7", "args": []]), "not running: 7"),
        (message("complete", ["command_id": "7", "args": nil]), "not running: 7"),
        (message("response", ["result": nil]), "not sent: 0"),
        (message("shutdown", ["command_id": "0"]), "unknown operation 'shutdown'"),
        (message("update", ["command_id": "0", "args": "text"]), "not a list"),
        (message("update", ["command_id": "0", "args": [["rc"]]]), "list of pairs"),
        (message("complete", ["command_id": "0", "args": 3]), "with a number"),
        (message("update_upload_file_write", ["command_id": "0", "args": "text"]), "not bytes"),
        (message("update_read_file", ["command_id": "0", "length": -1]), "without its length"),
    ]

    @Test func `a message that a worker may not send ends its connection with a sentence`()
        async throws
    {
        for (bytes, words) in Self.hostile {
            let connection = WorkerConnection(worker: "w1", address: "127.0.0.1")
            if words != "not sent: 0" { _ = try connection.start("listdir", [:]) }
            let end = await #expect(throws: ConnectionEnd.self) {
                try await connection.receive(bytes)
            }
            #expect(
                end?.isFault == true && end?.reason.contains(words) == true,
                "\(words): \(end as Any)")
        }
    }

    @Test func `a command ends with 'complete', whatever came before`() async throws {
        let worker = try Self.worker()
        let connection = worker.connection
        async let result = worker.perform(.listdir("/srv/w/w1")) { _ in }
        let update: MessagePack = [["files", ["b", "a"]], ["rc", 0], ["elapsed", .double(0.1)]]
        let reading = Task {
            while true {
                do {
                    try await connection.receive(
                        Self.message("update", ["command_id": "0", "args": update]))
                    break
                } catch {
                    // The command has not begun.
                    await Task.yield()
                }
            }
            try await connection.receive(
                Self.message("complete", ["command_id": "0", "args": nil]))
            try await connection.receive(Self.message("response", ["result": nil]))
        }
        try await reading.value
        #expect(try await result.names == ["b", "a"])
    }

    @Test func `the end of a connection is the loss of the worker, a fault is an error`()
        async throws
    {
        for isFault in [false, true] {
            let worker = try Self.worker()
            worker.connection.finish(ConnectionEnd(reason: "it is gone", isFault: isFault))
            do {
                _ = try await worker.run(.listdir(Command.ListDirectory("/srv/w/w1"))) { _ in }
                Issue.record("the command has no result")
            } catch let error as WorkerLost {
                #expect(!isFault && "\(error)" == "worker w1 is lost: it is gone")
            } catch let error as WorkerFault {
                #expect(isFault && "\(error)".hasSuffix("was closed: it is gone"))
            }
        }
    }

    @Test func `a worker proves its name by its password alone`() {
        func header(_ text: String) -> String {
            "Basic " + Data(text.utf8).base64EncodedString()
        }
        let logins = WorkerLogins(["w1": "a:b", "w2": ""])
        #expect(logins.worker(header("w1:a:b")) == "w1")
        #expect(logins.worker(header("w2:")) == "w2")
        for wrong in ["w1:a", "w1:", "w3:", "w3:a:b", "w1"] {
            #expect(logins.worker(header(wrong)) == nil, "\(wrong)")
        }
        for wrong in ["", "Basic", "Basic !", "Bearer w1"] { #expect(logins.worker(wrong) == nil) }
        #expect(logins.worker(nil) == nil)
    }

    @Test func `the log tells of a refused worker once in a while`() {
        let log = RefusalLog()
        #expect(log.note("w1", from: "10.0.0.1") == 1)
        #expect(log.note("w1", from: "10.0.0.1") == nil)
        #expect(log.note("w1", from: "10.0.0.2") == 1)
    }
}
