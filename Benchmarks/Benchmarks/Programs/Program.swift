import Foundation

/// A program that was built beside this one.
struct Program: Sendable {
    /// A program that ended badly.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What a run of a program cost, as seen from outside.
    struct Run: Sendable {
        let seconds: Double
        let cpuSeconds: Double
        let residentMegabytes: Double
    }

    static let reference = Program(name: "BenchmarkReference")
    static let buildmaster = Program(name: "buildmaster")
    static let empty = Program(name: "EmptyProgram")

    let name: String

    /// Where it is.
    var path: String {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: name).path
    }

    /// Starts it without input; its errors are those of this process.
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

    /// Lets the reference run a program so many times, and tells what each run cost.
    static func time(_ count: Int, _ command: [String]) throws -> [Run] {
        try costs(["time", "\(count)"] + command)
    }

    /// The costs that the reference prints.
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
