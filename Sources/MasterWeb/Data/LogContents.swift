internal import MasterKit
internal import MasterRuntime

/// The bytes of a log that is being sent, without the letters of its channels.
package struct LogDownload: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    /// Reads about 64 KiB at a time.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var preamble: [UInt8]
        fileprivate let reader: LogReader
        fileprivate var offset = 0

        package mutating func next() async throws -> [UInt8]? {
            if !preamble.isEmpty {
                defer { preamble = [] }
                return preamble
            }
            let lines = try await reader.lines(from: offset)
            guard !lines.isEmpty else { return nil }
            offset += lines.count
            return LogDownload.withoutChannels(lines)
        }
    }

    let preamble: [UInt8]
    let reader: LogReader

    package func makeAsyncIterator() -> Iterator { Iterator(preamble: preamble, reader: reader) }

    /// The lines without their first letters.
    static func withoutChannels(_ lines: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(lines.count)
        for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false) {
            text += line.dropFirst()
            text.append(0x0A)
        }
        // What follows the last line feed is not a line.
        if lines.last == 0x0A { text.removeLast() }
        return text
    }
}

/// A log that a path names, with what its downloads are labelled with.
struct FoundLog: Sendable {
    let id: Int
    let kind: String
    let slug: String
    let path: String
    let builder: String
    let build: Int
    let worker: String
    let step: String

    /// The lines before those of a log with channels.
    var preamble: [UInt8] {
        guard kind == LogKind.stream.rawValue else { return [] }
        return Array("Builder: \(builder)\nBuild number: \(build)\nWorker name: \(worker)\n".utf8)
    }

    /// The name of a file that it is saved in, safe in a header.
    var fileName: String {
        let name = "\(builder)_build_\(build)_step_\(step)_log_\(slug)"
        return String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    switch scalar {
                    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": scalar
                    default: "_"
                    }
                }))
    }
}

extension DataAPI {
    /// The most bytes of a log in one answer but a download.
    static let maximumContentByteCount = 4 << 20

    /// Answers with the text of a log, or downloads it.
    func answer(
        _ log: FoundLog, _ query: DataQuery, _ request: DataRequest
    ) async throws(DataError) -> DataAnswer {
        switch request.path.last {
        case "raw", "raw_inline":
            var headers = [(name: "content-type", value: "text/plain; charset=utf-8")]
            if request.path.last == "raw" {
                headers.append(("content-disposition", "attachment; filename=\(log.fileName)"))
            }
            return DataAnswer(
                headers: headers,
                body: .stream(
                    LogDownload(
                        preamble: log.preamble, reader: master.reader(ofLogAt: log.path))))
        default:
            return DataAnswer(
                ["logchunks": [try await contents(of: log, query)], "meta": [:]], request)
        }
    }

    /// The record with the lines of a log that a query wants.
    func contents(of log: FoundLog, _ query: DataQuery) async throws(DataError) -> JSONValue {
        var lines: [UInt8]
        do {
            lines = try await master.reader(ofLogAt: log.path).lines(
                from: query.offset, count: query.limit ?? .max,
                byteCount: Self.maximumContentByteCount)
        } catch {
            throw DataError(.failed, "the log \(log.id) cannot be read: \(error)")
        }
        if log.kind != LogKind.stream.rawValue { lines = LogDownload.withoutChannels(lines) }
        return query.select([
            "logid": .int(log.id), "firstline": .int(query.offset),
            "content": .string(String(decoding: lines, as: UTF8.self)),
        ])
    }
}
