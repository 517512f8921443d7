import Testing

@testable import MasterCommand

struct ReceiverArgumentTests {
    @Test(arguments: [
        (["run", "--receiver"], ["run", "--receiver=127.0.0.1:9980"]),
        (["run", "--receiver", "linux"], ["run", "--receiver=127.0.0.1:9980", "linux"]),
        (
            ["run", "--receiver", "--jobs", "1"],
            ["run", "--receiver=127.0.0.1:9980", "--jobs", "1"]
        ),
        (["run", "--receiver=:80"], ["run", "--receiver=:80"]),
        (["run", "--", "--receiver"], ["run", "--", "--receiver"]),
        ([], []),
    ])
    func `standing alone it gets the default address`(arguments: [String], completed: [String])
        throws
    {
        #expect(try ReceiverArgument.completed(arguments) == completed)
    }

    @Test func `an address after a space is refused, as a builder may stand there`() {
        #expect(throws: (any Error).self) {
            try ReceiverArgument.completed(["run", "--receiver", "localhost:80"])
        }
    }
}
