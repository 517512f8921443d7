internal import Foundation

/// The file with the content of a log: lines, each marked with `o`, `e` or `h`.
struct LogFile: Sendable {
    /// What is read of a log.
    struct Content: Sendable, Hashable {
        /// The position of the first line in the log, from 0.
        let firstLine: Int
        /// The lines with their marks.
        let text: String
    }

    /// How much of a log a report holds, in bytes; of a longer log it holds the end.
    static let contentBound = 1 << 20
    private static let pieceByteCount = 1 << 16

    private let path: String

    /// Names the file at a path.
    init(path: String) {
        self.path = path
    }

    /// The path of a log's file from the base folder.
    static func path(buildID: Int, stepNumber: Int, slug: String) -> String {
        let name = slug.map { $0 == "/" || $0 == "\0" ? "_" : $0 }
        return "logs/\(buildID)/\(stepNumber)-\(String(name)).log"
    }

    /// Counts the lines; those of a file that was never made are none. Blocks while it reads.
    func lineCount() throws -> Int {
        guard let file = try open() else { return 0 }
        defer { close(file) }
        return try Self.countLines(of: file, upTo: .max)
    }

    /// Reads the log, or its last whole lines when it is long. Blocks while it reads.
    func content(bound: Int = contentBound) throws -> Content {
        guard let file = try open() else { return Content(firstLine: 0, text: "") }
        defer { close(file) }
        let size = Int(try file.seekToEnd())
        guard size > bound else {
            try file.seek(toOffset: 0)
            return Content(firstLine: 0, text: try Self.text(of: file))
        }
        try file.seek(toOffset: 0)
        let skipped = try Self.countLines(of: file, upTo: size - bound)
        try file.seek(toOffset: UInt64(size - bound))
        let rest = try Self.text(of: file)
        guard let end = rest.utf8.firstIndex(of: 0x0A) else {
            return Content(firstLine: skipped, text: "")
        }
        return Content(
            firstLine: skipped + 1,
            text: String(rest[rest.utf8.index(after: end)...])
        )
    }

    private func open() throws -> FileHandle? {
        do {
            return try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            return nil
        }
    }

    private func close(_ file: FileHandle) {
        do {
            try file.close()
        } catch {
            // What was read is read; the descriptor is gone either way.
        }
    }

    private static func text(of file: FileHandle) throws -> String {
        String(decoding: try file.read(upToCount: contentBound) ?? Data(), as: UTF8.self)
    }

    private static func countLines(of file: FileHandle, upTo bound: Int) throws -> Int {
        var (lines, read) = (0, 0)
        while read < bound {
            let wanted = min(pieceByteCount, bound - read)
            guard let piece = try file.read(upToCount: wanted), !piece.isEmpty else { break }
            lines += piece.count { $0 == 0x0A }
            read += piece.count
        }
        return lines
    }
}
