internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// `worker`: lists the workers of the running master, and pauses or ends them.
struct WorkerCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "worker",
            abstract: "Lists, pauses and ends the workers of the running master.",
            subcommands: [List.self, Pause.self, Resume.self, Shutdown.self],
            defaultSubcommand: List.self)
    }
}

extension WorkerCommand {
    /// `worker list`: lists the workers.
    struct List: MasterSubcommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "list",
                abstract: "Lists the workers: who is connected, since when, and what they build.")
        }

        @OptionGroup var place: MasterPlace

        @Flag(help: "Write one JSON object.")
        var json = false

        func run(in context: CommandContext) async throws -> ExitStatus {
            let answer = try await place.client.send(ControlRequest("worker")) ?? [:]
            if json {
                await context.console.print(JSONWriter.pretty.string(.object(answer)).lines)
                return .success
            }
            let console = context.console
            let width = console.output.canRedraw ? console.size.columns : Int.max
            await console.print(WorkerLines.lines(answer, console.output, width: width))
            return .success
        }
    }

    /// `worker pause`: begins no further builds on a worker.
    struct Pause: MasterSubcommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "pause",
                abstract: "Begins no further builds on a worker; running ones continue.")
        }

        @Argument(help: "The name of the worker.") var name: String
        @OptionGroup var place: MasterPlace

        func run(in context: CommandContext) async throws -> ExitStatus {
            try await place.change(name, "pause")
        }
    }

    /// `worker resume`: lets builds begin on a paused worker.
    struct Resume: MasterSubcommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "resume", abstract: "Lets builds begin on a worker that was paused.")
        }

        @Argument(help: "The name of the worker.") var name: String
        @OptionGroup var place: MasterPlace

        func run(in context: CommandContext) async throws -> ExitStatus {
            try await place.change(name, "resume")
        }
    }

    /// `worker shutdown`: ends the process of a worker.
    struct Shutdown: MasterSubcommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "shutdown",
                abstract: "Ends the process of a worker once its running builds have ended.")
        }

        @Argument(help: "The name of the worker.") var name: String
        @OptionGroup var place: MasterPlace

        func run(in context: CommandContext) async throws -> ExitStatus {
            try await place.change(name, "shutdown")
        }
    }
}

extension MasterPlace {
    fileprivate func change(_ worker: String, _ action: String) async throws -> ExitStatus {
        try await client.send(
            ControlRequest("worker", ["name": .string(worker), "action": .string(action)]))
        return .success
    }
}

/// The table of workers.
enum WorkerLines {
    /// The lines of `workers` in an answer.
    static func lines(_ answer: JSONObject, _ traits: TerminalTraits, width: Int) -> [String] {
        var table = TextTable(paint: TextPainter(hasColour: traits.hasColour))
        for worker in answer["workers"]?.arrayValue ?? [] { table.add(cells(worker)) }
        let marks = StatusSymbols(hasUnicode: traits.hasUnicode)
        return table.lines(width: width, ellipsis: marks.ellipsis)
    }

    /// The name of a worker, whether it is there, and what it builds.
    static func cells(_ worker: JSONValue) -> [TextTable.Cell] {
        let building = (worker["building"]?.arrayValue ?? []).compactMap(\.stringValue)
        let isConnected = worker["connected"] == .bool(true)
        var state = isConnected ? "connected" : "not connected"
        if worker["paused"] == .bool(true) {
            state += ", paused"
            let reason = worker["pause_reason"]?.stringValue ?? ""
            if !reason.isEmpty { state += " (\(reason.makingControlsVisible()))" }
        }
        if worker["graceful"] == .bool(true) { state += ", stopping" }
        let work =
            building.isEmpty ? "idle" : building.joined(separator: ", ").makingControlsVisible()
        return [
            .init((worker["name"]?.stringValue ?? "").makingControlsVisible(), .bold),
            .init(state), .init(isConnected ? work : ""),
        ]
    }
}
