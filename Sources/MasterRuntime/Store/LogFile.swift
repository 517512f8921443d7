internal import Foundation
internal import MasterKit
internal import SystemPackage

/// A log's content file: lines, each prefixed with `o`, `e` or `h`.
struct LogFile: Sendable {
    /// The content read from a log file.
    struct Content: Sendable, Hashable {
        /// The index of the first line in the log, from 0.
        let firstLine: Int
        /// The lines, including their prefixes.
        let text: String
    }

    /// The maximum size of a log in a report, in bytes; only the end of a longer log is included.
    static let contentBound = 1 << 20
    private static let pieceByteCount = 1 << 16

    private let path: String

    init(path: String) {
        self.path = path
    }

    /// The path of a log's file from the base folder, such as `logs/linux/3/2-compile-stdio.log`.
    ///
    /// - Parameters:
    ///   - builder: The name of the builder.
    ///   - build: The number of the build.
    ///   - step: The position and the name of the step.
    ///   - slug: The name of the log, unique in the step.
    /// - Returns: Readable names that are safe in every shell and stay in their folder.
    static func path(
        builder: String, build: Int, step: (number: Int, name: String), slug: String
    ) -> String {
        let names = [step.name, slug].map { plain($0, byteLimit: 100) }
        let file = "\(step.number)-\(names.joined(separator: "-")).log"
        return "\(folder(ofBuild: build, of: builder))/\(file)"
    }

    /// The folder of a build's logs, from the base folder.
    static func folder(ofBuild number: Int, of builder: String) -> String {
        "\(folder(of: builder))/\(number)"
    }

    /// The folder of all logs of a builder, from the base folder.
    static func folder(of builder: String) -> String {
        "logs/\(FilePaths.component(builder))"
    }

    /// The text with only letters, digits, `-`, `_` and `.`, cut to a length.
    private static func plain(_ text: String, byteLimit: Int) -> String {
        var plain = ""
        for scalar in text.unicodeScalars {
            let next = scalar.isPlainInFileNames ? String(scalar) : "_"
            guard plain.utf8.count + next.utf8.count <= byteLimit else { break }
            plain += next
        }
        return plain
    }

    /// Where the last lines of output begin, as many as are wanted, with the master's own lines
    /// among and after them; 0 when there are fewer. Blocks.
    func offset(ofLast count: Int) throws -> Int {
        guard let file = try open() else { return 0 }
        defer { close(file) }
        var end = Int(try file.seekToEnd())
        guard count > 0 else { return end }
        var lines = 0
        // The first byte of the line that begins after a line end, which may be in the next piece.
        var mark: UInt8?
        while end > 0 {
            let start = max(0, end - Self.pieceByteCount)
            try file.seek(toOffset: UInt64(start))
            let piece = [UInt8](try file.read(upToCount: end - start) ?? Data())
            for index in piece.indices.reversed() {
                if piece[index] == 0x0A, let mark, mark != LogChannel.header.rawValue {
                    lines += 1
                    if lines == count { return start + index + 1 }
                }
                mark = piece[index]
            }
            end = start
        }
        return 0
    }

    /// Counts the lines; 0 if the file does not exist. Blocks while reading.
    func lineCount() throws -> Int {
        guard let file = try open() else { return 0 }
        defer { close(file) }
        return try Self.lines(of: file, upTo: .max).count
    }

    /// Adds a line that says that the log was cut off; nothing if the file does not exist. Blocks.
    func noteCutOff() throws {
        do {
            let file = try POSIX.open(FilePath(path), O_RDWR | O_APPEND | O_NOFOLLOW)
            let last = try tail(byteCount: 1).last
            let start = last == nil || last == 0x0A ? "" : "\n"
            let line = "\(start)hthe log was cut off: its master has ended\n"
            try file.descriptor.writeAll(line.utf8)
        } catch let fault as SystemFault where fault.number == ENOENT {
            return
        }
    }

    /// The size of the file; 0 if it does not exist.
    func byteCount() throws -> Int {
        guard let file = try open() else { return 0 }
        defer { close(file) }
        return Int(try file.seekToEnd())
    }

    /// The last bytes of the file; empty if it does not exist. Blocks.
    func tail(byteCount: Int) throws -> [UInt8] {
        guard let file = try open() else { return [] }
        defer { close(file) }
        let size = Int(try file.seekToEnd())
        try file.seek(toOffset: UInt64(max(0, size - byteCount)))
        return [UInt8](try file.read(upToCount: byteCount) ?? Data())
    }

    /// Reads the log; if it exceeds the bound, its last complete lines.
    ///
    /// If not even the last line fits, returns the beginning of that line. Blocks while reading.
    func content(bound: Int = contentBound) throws -> Content {
        guard let file = try open() else { return Content(firstLine: 0, text: "") }
        defer { close(file) }
        let size = Int(try file.seekToEnd())
        try file.seek(toOffset: 0)
        guard size > bound else {
            return Content(firstLine: 0, text: try Self.text(of: file, bound))
        }
        let skipped = try Self.lines(of: file, upTo: size - bound - 1)
        try file.seek(toOffset: UInt64(size - bound - 1))
        let rest = try Self.text(of: file, bound + 1)
        if let end = rest.utf8.firstIndex(of: 0x0A), end != rest.utf8.indices.last {
            let text = rest[rest.utf8.index(after: end)...]
            return Content(firstLine: skipped.count + 1, text: String(text))
        }
        try file.seek(toOffset: UInt64(skipped.lastStart))
        return Content(firstLine: skipped.count, text: try Self.text(of: file, bound) + "\n")
    }

    /// Reads complete lines from an offset, about 64 KiB at a time; empty at the end of the file.
    ///
    /// Blocks while reading.
    static func lines(in path: String, from offset: Int) throws -> [UInt8] {
        guard let file = try LogFile(path: path).open() else { return [] }
        defer { LogFile(path: path).close(file) }
        try file.seek(toOffset: UInt64(offset))
        var lines: [UInt8] = []
        while let piece = try file.read(upToCount: pieceByteCount), !piece.isEmpty {
            lines += piece
            guard let end = lines.lastIndex(of: 0x0A) else { continue }
            return Array(lines[...end])
        }
        return []
    }

    /// Reads complete lines: fewer than wanted at the end of the file, or beyond a size.
    ///
    /// Blocks while reading.
    static func lines(
        in path: String, from first: Int, count: Int, byteCount: Int
    ) throws -> [UInt8] {
        var (offset, line, lines) = (0, 0, [UInt8]())
        while lines.count < byteCount, line < first || line - first < count {
            let piece = try Self.lines(in: path, from: offset)
            guard !piece.isEmpty else { break }
            offset += piece.count
            let ends = piece.count { $0 == 0x0A }
            defer { line += ends }
            guard line + ends > first else { continue }
            var rest = piece[...]
            for _ in line..<max(line, first) {
                guard let end = rest.firstIndex(of: 0x0A) else { break }
                rest = rest[(end + 1)...]
            }
            var left = line < first ? count : count - (line - first)
            while left > 0, lines.count < byteCount, let end = rest.firstIndex(of: 0x0A) {
                lines += rest[...end]
                rest = rest[(end + 1)...]
                left -= 1
            }
        }
        return lines
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
            // The data has been read, and the descriptor is closed in any case.
        }
    }

    private static func text(of file: FileHandle, _ bound: Int) throws -> String {
        String(decoding: try file.read(upToCount: bound) ?? Data(), as: UTF8.self)
    }

    /// Counts the newlines before a position and returns the start of the line it falls in.
    private static func lines(
        of file: FileHandle, upTo bound: Int
    ) throws -> (count: Int, lastStart: Int) {
        var (count, lastStart, read) = (0, 0, 0)
        while read < bound {
            let wanted = min(pieceByteCount, bound - read)
            guard let piece = try file.read(upToCount: wanted), !piece.isEmpty else { break }
            count += piece.count { $0 == 0x0A }
            if let last = piece.lastIndex(of: 0x0A) {
                lastStart = read + piece.distance(from: piece.startIndex, to: last) + 1
            }
            read += piece.count
        }
        return (count, lastStart)
    }
}
