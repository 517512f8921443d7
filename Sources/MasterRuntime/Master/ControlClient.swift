package import MasterKit

/// Sends requests to the master that uses a base folder.
package struct ControlClient: Sendable {
    private let folder: String
    /// How long the master may take for its first answer.
    private let patience: Duration

    package init(folder: String, patience: Duration = .seconds(30)) {
        self.folder = folder
        self.patience = patience
    }

    /// Sends a request, and waits until the master closes the connection.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - takesLong: Whether the master may take any time for its first answer.
    ///   - read: Called with each answer.
    /// - Returns: The last answer, or `nil` if the connection ended without any.
    /// - Throws: ``ControlError`` if no master is running, if it does not answer, or if it refuses
    ///   the request.
    @discardableResult
    package func send(
        _ request: ControlRequest, takesLong: Bool = false,
        read: @escaping @Sendable (JSONObject) -> Void = { _ in }
    ) async throws -> JSONObject? {
        // A socket takes no message that is larger than its buffer.
        guard request.text.utf8.count <= UnixSocket.messageLimit else {
            throw ControlError(
                "the arguments are too large: together they may have \(UnixSocket.messageLimit >> 10) "
                    + "KiB", isUsage: true)
        }
        let patience = takesLong ? nil : patience
        let (reception, answer) = try await OwnThread.run { [folder] in
            var last: JSONObject?
            let reception = ControlSocket.send(request, to: folder, patience: patience) { answer in
                last = answer
                if answer["error"] == nil { read(answer) }
            }
            return (reception, last)
        }
        switch reception {
        case .received: break
        case .nobodyListens: throw ControlError(whyNobodyAnswers)
        case .noAnswer: throw ControlError(try silence())
        }
        if let error = answer?["error"]?.stringValue {
            throw ControlError(error, isUsage: answer?["usage"] == .bool(true))
        }
        return answer
    }

    private func silence() throws -> String {
        let process = try StoreLock.holder(in: folder)
        let number = process.map { String($0.drop { !$0.isNumber }) } ?? "PROCESS"
        return "the master of \(folder) (\(process ?? "process unknown")) has not answered for "
            + "\(patience.inSeconds): it is suspended, or its machine has too much to do; look at "
            + "its log, or end it with 'kill -9 \(number)', which loses nothing"
    }

    private var whyNobodyAnswers: String {
        do throws(SystemFault) {
            guard let process = try StoreLock.holder(in: folder) else {
                return "no master is running in \(folder); start one with 'start', or name its "
                    + "folder with --basedir"
            }
            return "the master of \(folder) (\(process)) does not answer: it is starting or "
                + "ending, or the socket 'control' in its folder has been removed; try again, or "
                + "end it with 'kill'"
        } catch {
            return StoreFolder.closedMessage(folder, error)
        }
    }

    /// Whether the process of the last master is still there.
    package func isMasterAlive() throws -> Bool {
        try StoreLock.holder(in: folder) != nil
    }
}
