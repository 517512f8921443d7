import Foundation

/// Runs Python 3, the other language the client is compared with.
enum Python {
    /// The standard output of a script.
    static func bytes(_ script: String, _ arguments: [String] = []) async throws -> [UInt8] {
        try await Tool.run("python3", ["-c", script] + arguments)
    }

    /// The standard output of a script as text, without the white space around it.
    static func text(_ script: String, _ arguments: [String] = []) async throws -> String {
        String(decoding: try await bytes(script, arguments), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Runs a program of the system.
enum Tool {
    /// A program that ended badly.
    struct Failure: Error {
        let command: [String]
        let status: Int32
    }

    /// The standard output of a program that must succeed.
    @discardableResult
    static func run(_ name: String, _ arguments: [String]) async throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = await read(output.fileHandleForReading.fileDescriptor)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(command: [name] + arguments, status: process.terminationStatus)
        }
        return bytes
    }

    /// Reads to the end on a thread of its own, since a pipe's handle cannot be awaited.
    private static func read(_ descriptor: Int32) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread {
                let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
                continuation.resume(returning: Array(handle.readDataToEndOfFile()))
            }.start()
        }
    }
}
