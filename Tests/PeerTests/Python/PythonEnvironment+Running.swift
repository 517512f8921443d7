import Foundation
import MasterKit

extension PythonEnvironment {
    /// Runs a script of this target and returns its output; input and output are JSON.
    static func run(_ script: String, reading value: JSONValue) async throws -> JSONValue {
        let process = Process()
        process.executableURL = URL(filePath: try interpreter())
        process.arguments = [Self.script(script)]
        process.environment = ["HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: JSONWriter.compact.bytes(value))
        try input.fileHandleForWriting.close()
        let bytes: [UInt8] = await withCheckedContinuation { continuation in
            // Ends when the script has closed its output.
            Thread {
                let data = output.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: Array(data))
            }.start()
        }
        return try JSONValue(parsing: bytes)
    }
}
