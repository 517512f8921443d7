import Foundation

/// Runs Python 3, the reference for the client's behavior.
enum Python {
    /// Runs a script and returns its standard output.
    static func bytes(_ script: String, _ arguments: [String] = []) async throws -> [UInt8] {
        try await Tool.run("python3", ["-c", script] + arguments)
    }

    /// Runs a script and returns its standard output as text, without surrounding white space.
    static func text(_ script: String, _ arguments: [String] = []) async throws -> String {
        String(decoding: try await bytes(script, arguments), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Runs system programs.
enum Tool {
    /// A program failed.
    struct Failure: Error {
        let command: [String]
        let status: Int32
    }

    /// Runs a program, which must succeed, and returns its standard output.
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

    /// Reads to the end on a separate thread, since a pipe's handle cannot be awaited.
    private static func read(_ descriptor: Int32) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread {
                let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
                continuation.resume(returning: Array(handle.readDataToEndOfFile()))
            }.start()
        }
    }
}
