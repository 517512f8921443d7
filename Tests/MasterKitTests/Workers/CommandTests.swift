import FoundationEssentials
import MasterKit
import Testing

struct CommandTests {
    static let shell: Command = {
        var shell = Command.Shell(["make", "all"], in: "build")
        shell.environment = ["A": "1", "B": nil]
        shell.timeout = nil
        shell.maxTime = .milliseconds(1500)
        shell.stdin = [0, 255]
        shell.wantsStderr = false
        shell.maxLines = 3
        shell.logFiles = [.init("a", at: "a.log", follows: true)]
        shell.interruptSignal = .interrupt
        return .shell(shell)
    }()

    static let commands: [Command] = [
        shell, .shell(.init("make | tee log", in: "")), .mkdir(.init("a")),
        .rmdir(.init("a", outside: true)), .cpdir(.init(from: "a", to: "b")), .stat(.init("a")),
        .glob(.init("*.o")), .listdir(.init(".")), .uploadFile(.init("a", maxByteCount: 1)),
        .downloadFile(.init("a", permissions: 0o600, in: "b", modified: 1.5)),
        .glob(.init("*.o", in: "b")),
    ]

    @Test(arguments: commands)
    func `a command survives the way to another machine`(_ command: Command) throws {
        let data = try JSONEncoder().encode(command)
        #expect(try JSONDecoder().decode(Command.self, from: data) == command)
    }

    @Test func `in JSON a command is a mapping of one entry`() throws {
        let data = try JSONEncoder().encode(Command.mkdir(.init("out")))
        #expect(String(decoding: data, as: UTF8.self) == #"{"mkdir":{"path":"out"}}"#)
    }

    @Test(arguments: ["{}", #"{"fly":{}}"#, #"{"stat":{"path":"a"},"mkdir":{"path":"a"}}"#])
    func `anything else is refused with the names there are`(_ json: String) throws {
        let error = try #require(throws: DecodingError.self) {
            try JSONDecoder().decode(Command.self, from: Data(json.utf8))
        }
        #expect("\(error)".contains("shell, mkdir, rmdir"))
    }

    @Test(
        arguments: [
            (["make", "all"], "make all"), (["sh", "-c", "echo one"], "sh -c 'echo one'"),
            (["a", ""], "a ''"), (["it's"], "'it'\"'\"'s'"), (["x;y", "$Z"], "'x;y' '$Z'"),
            (["ä"], "'ä'"),
        ])
    func `a program reads as one would type it`(_ arguments: [String], _ line: String) {
        #expect(Command.Invocation.program(arguments).description == line)
    }

    @Test func `a script is run by the shell`() {
        let invocation: Command.Invocation = "echo $A"
        #expect(invocation.arguments == ["/bin/sh", "-c", "echo $A"])
        #expect(invocation.description == "echo $A")
    }
}
