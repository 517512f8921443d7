import Foundation

/// A program that was built next to this one.
struct Program: Sendable {
    /// A program that failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The cost of running a program, measured from outside.
    struct Run: Sendable {
        let seconds: Double
        let cpuSeconds: Double
        let residentMegabytes: Double
    }

    static let reference = Program(name: "BenchmarkReference")
    static let buildmaster = Program(name: "buildmaster")
    static let empty = Program(name: "EmptyProgram")

    let name: String

    /// The path of the executable.
    var path: String {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: name).path
    }

    /// Starts the program with pipes for input and output; it shares this process's standard error.
    func start(_ arguments: [String]) throws -> (Process, input: FileHandle, output: FileHandle) {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        return (process, input.fileHandleForWriting, output.fileHandleForReading)
    }

    /// Has the reference run a program `count` times and returns the cost of each run.
    static func time(_ count: Int, _ command: [String]) throws -> [Run] {
        try costs(["time", "\(count)"] + command)
    }

    /// Runs the reference and returns the costs that it prints.
    static func costs(_ arguments: [String]) throws -> [Run] {
        let (process, _, output) = try reference.start(arguments)
        let text = String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                description: "BenchmarkReference \(arguments.joined(separator: " ")) failed")
        }
        return text.split(separator: "\n").map { line in
            let numbers = line.split(separator: " ").compactMap { Double($0) }
            return Run(
                seconds: numbers[0] / 1e9, cpuSeconds: numbers[1] / 1e9,
                residentMegabytes: numbers[2] / 1e6)
        }
    }
}
