internal import ArgumentParser
internal import MasterReceiver

/// `receive`: an HTTP receiver that shows the requests it gets.
struct ReceiveCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "receive",
            abstract: "Listens for HTTP requests, answers them, and shows each one.",
            discussion: """
                Accepts any method and path until you press Ctrl-C. Point a reporter's serverUrl \
                here to see what it sends; with --status and --delay you can see how a run copes \
                with a receiver that fails.

                Examples:

                  \(RootCommand.programName) receive
                  \(RootCommand.programName) receive 127.0.0.1:8000
                  \(RootCommand.programName) receive --status 503
                  \(RootCommand.programName) receive --delay 30s
                """)
    }

    @Argument(
        help: ArgumentHelp(
            "Where to listen: HOST:PORT, HOST or PORT; port 0 picks a free one.",
            valueName: "host:port"))
    var address = AddressArgument()

    @Option(help: ArgumentHelp("The status code to answer with.", valueName: "code"))
    var status = 200

    @Option(
        help: ArgumentHelp("How long to wait before each answer.", valueName: "duration"))
    var delay = DurationArgument(seconds: 0)

    func validate() throws {
        guard ReceiverConfiguration.statuses.contains(status) else {
            throw ValidationError("--status \(status): use a status code from 200 to 599")
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let console = context.console
        let printer = RequestPrinter(console.output, .whole)
        let (ends, end) = AsyncStream<ExitStatus>.makeStream()
        let configuration = ReceiverConfiguration(
            address: address.address, status: status, delay: delay.duration)
        return try await Receiver.run(configuration) { request in
            await console.print(printer.lines(request))
            if console.isClosed { end.yield(.success) }
        } _: { receiver in
            await console.print("listening on http://\(receiver.address)/ (press Ctrl-C to stop)")
            try StopSignal.watch { end.yield(ExitStatus($0)) }
            return await ends.first { _ in true } ?? .success
        }
    }
}
