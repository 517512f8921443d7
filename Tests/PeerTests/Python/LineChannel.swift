import Foundation
import MasterKit
import Synchronization

/// A program that responds to each line with a line of JSON with the same `id`.
final class LineChannel: Sendable {
    private enum Slot {
        case arrived(JSONValue)
        case awaited(CheckedContinuation<JSONValue, any Error>)
    }

    private struct State {
        var slots: [Int: Slot] = [:]
        var fault: PythonPeer.Fault?
    }

    private let input: FileHandle
    private let state = Mutex(State())

    /// Starts the program; its standard error is that of this process.
    init(program: String, arguments: [String], environment: [String: String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = environment
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        self.input = input.fileHandleForWriting
        let reader = output.fileHandleForReading
        Thread { [self] in read(reader) }.start()
    }

    /// Sends a line.
    func send(_ line: String) throws {
        try state.withLock { _ in try input.write(contentsOf: Data("\(line)\n".utf8)) }
    }

    /// Waits for the line with an ID; the first line has none and counts as 0.
    func line(of id: Int) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            let result = state.withLock { state -> Result<JSONValue, any Error>? in
                if case .arrived(let line)? = state.slots.removeValue(forKey: id) {
                    return .success(line)
                }
                if let fault = state.fault { return .failure(fault) }
                state.slots[id] = .awaited(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    private func read(_ reader: FileHandle) {
        var waiting = Data()
        while true {
            let piece = reader.availableData
            guard !piece.isEmpty else { break }
            waiting += piece
            while let end = waiting.firstIndex(of: 0x0A) {
                take(Array(waiting[..<end]))
                waiting = Data(waiting[(end + 1)...])
            }
        }
        end(PythonPeer.Fault(description: "peer.py has ended; what it said is above"))
    }

    private func take(_ line: [UInt8]) {
        do {
            let value = try JSONValue(parsing: line)
            let id = value["id"]?.intValue ?? 0
            let slot = state.withLock { state in
                let slot = state.slots.removeValue(forKey: id)
                if slot == nil { state.slots[id] = .arrived(value) }
                return slot
            }
            if case .awaited(let continuation)? = slot { continuation.resume(returning: value) }
        } catch {
            end(PythonPeer.Fault(description: "peer.py wrote no JSON: \(error)"))
        }
    }

    private func end(_ fault: PythonPeer.Fault) {
        let slots = state.withLock { state in
            state.fault = state.fault ?? fault
            let slots = state.slots
            state.slots = [:]
            return slots
        }
        for case .awaited(let continuation) in slots.values { continuation.resume(throwing: fault) }
    }
}
