internal import HummingbirdCore
internal import MasterKit

/// A log: its end, or any part of it, and what a search finds.
extension Dashboard {
    /// The most lines on a page.
    private static let lineLimit = 250
    /// The most bytes of lines on a page, except those that a search finds.
    private static let byteLimit = 40_000
    /// The most characters that are shown of a line.
    private static let lineLength = 1000
    /// The most lines that a search looks at, and finds.
    private static let searchLimit = (lines: 200_000, found: 100)

    func logPage(_ id: Int) async throws -> Response {
        let log = try await record(["logs", "\(id)"])
        let step = try await record(["steps", "\(log.int("stepid"))"])
        let build = try await record(["builds", "\(step.int("buildid"))"])
        let builder = try await record(["builders", "\(build.int("builderid"))"])
        let count = log.int("num_lines")
        let word = request.query("q") ?? ""
        let last = max(0, count - Self.lineLimit)
        let from = request.query("from").flatMap { Int($0) }.map { min(max(0, $0), count) }
        let first = from ?? (word.isEmpty ? last : 0)
        let found = word.isEmpty ? nil : try await search(id, for: word, from: first)
        let lines =
            if let found { found.lines } else {
                Self.fitting(
                    from == nil
                        ? try await lastLines(of: id, count, Self.lineLimit)
                        : try await self.lines(of: id, from: first, count: Self.lineLimit),
                    atEnd: from == nil)
            }
        let isLive = word.isEmpty && log["complete"] != true && from == nil
        return Page(
            site: site, visitor: visitor,
            title: "\(builder.string("name").isolated) #\(build.int("number")) "
                + "\(step.string("name").isolated): "
                + log.string("name")
        ).response { html in
            html.element("p") { html in
                html.link(address(of: build), "Build #\(build.int("number"))")
                html.text(" · ")
                html.lineCount(of: log)
                html.text(" · ")
                html.link(
                    site.access.prefix + "api/v2/logs/\(id)/raw_inline", "Whole log as text")
            }
            search("Search this log", word, in: &html)
            if let found {
                summary(of: found, word, from: first, count, id, in: &html)
            } else {
                pages(lines.first?.number ?? first, lines.count, count, id, in: &html)
            }
            html.element(
                "pre",
                [
                    "class": "log", "tabindex": "0", "aria-label": "Log",
                    "data-log": isLive ? "\(id)" : nil,
                    "data-next": isLive ? "\(lines.last.map { $0.number + 1 } ?? 0)" : nil,
                ]
            ) { html in
                for line in lines { add(line, of: id, isLinked: found != nil, in: &html) }
            }
        }
    }

    /// Says what a search has found and where, and links to the rest of the log.
    private func summary(
        of found: Found, _ word: String, from first: Int, _ count: Int, _ id: Int,
        in html: inout HTML
    ) {
        let number = found.lines.count
        let what = number == 0 ? "No line" : number == 1 ? "1 line" : "\(number) lines"
        let isPart = first > 0 || found.next != nil
        let end = found.next ?? count
        let place =
            !isPart
            ? "" : first < end ? " in lines \(first + 1) to \(end)" : " after line \(count)"
        html.element("p", ["role": "status"]) { html in
            html.text(
                what + (number > 1 ? " contain " : " contains ")
                    + "“\(word.shortened(to: 60))”\(place). ")
            if let next = found.next {
                html.link(
                    site.home + "logs/\(id)?q=\(word.percentEncoded)&from=\(next)",
                    "Search on")
            }
        }
    }

    private func pages(
        _ first: Int, _ shown: Int, _ count: Int, _ id: Int, in html: inout HTML
    ) {
        guard first > 0 || first + shown < count else { return }
        html.element("nav", ["class": "pager", "aria-label": "Parts of the log"]) { html in
            let address = site.home + "logs/\(id)"
            if first > 0 {
                html.link("\(address)?from=0", "Beginning")
                html.link("\(address)?from=\(max(0, first - Self.lineLimit))", "Earlier")
            }
            if first + shown < count {
                html.link("\(address)?from=\(first + shown)", "Later")
                html.link(address, "End")
            }
        }
    }

    /// The last lines of a log that is being written, which the page's script continues.
    func tail(_ log: JSONObject, in html: inout HTML) {
        html.element(
            "pre",
            [
                "class": "log tail", "data-log": "\(log.int("logid"))",
                "data-next": "\(max(0, log.int("num_lines") - 10))",
                "data-kind": log.string("type"),
                "data-keep": "10", "tabindex": "0", "aria-label": "The end of the running log",
            ])
    }

    /// The last lines of a log.
    struct Excerpt {
        let log: JSONObject
        let lines: [LogLine]
    }

    /// The last lines that a program has written into a log, or `nil` if there are none.
    func excerpt(of log: JSONObject, _ count: Int) async throws -> Excerpt? {
        // Those of the master follow.
        let lines = try await lastLines(of: log.int("logid"), log.int("num_lines"), count + 5)
            .filter { $0.kind != "h" }.suffix(count)
        return lines.isEmpty ? nil : Excerpt(log: log, lines: Array(lines))
    }

    func add(_ excerpt: Excerpt, in html: inout HTML) {
        let label = "The end of \(excerpt.log.string("name"))"
        html.element("pre", ["class": "log excerpt", "tabindex": "0", "aria-label": label]) {
            html in
            // One piece, so that the style sheet can have the box begin at its end.
            html.element("span") { html in
                for line in excerpt.lines { add(line, of: excerpt.log.int("logid"), in: &html) }
            }
        }
    }

    private func add(
        _ line: LogLine, of id: Int, isLinked: Bool = false, in html: inout HTML
    ) {
        html.element("span", ["class": line.kind.isEmpty ? nil : line.kind]) { html in
            if isLinked {
                html.link(
                    site.home + "logs/\(id)?from=\(max(0, line.number - 20))",
                    "\(line.number + 1)", "line")
                html.text(" ")
            }
            add(line.shown, in: &html)
        }
    }

    private func add(_ line: TerminalLine, in html: inout HTML) {
        let text = line.text
        let shown = text.shortened(to: Self.lineLength)
        guard shown == text else { return html.text(shown + "\n") }
        for (text, style) in line.pieces {
            if let classes = style.classes {
                html.element("span", ["class": classes], text: text)
            } else {
                html.text(text)
            }
        }
        html.text("\n")
    }

    // MARK: Lines

    /// A line of a log.
    struct LogLine {
        let number: Int
        /// `e` for errors, `h` for headers, or empty.
        let kind: String
        let shown: TerminalLine
    }

    private func lines(of id: Int, from first: Int, count: Int) async throws -> [LogLine] {
        let chunk = try await record(
            ["logs", "\(id)", "contents"], ["offset": "\(first)", "limit": "\(count)"])
        let hasChannels = try await record(["logs", "\(id)"])["type"] == "s"
        var texts = chunk.string("content").logLines
        if texts.last?.isEmpty == true { texts.removeLast() }
        var style = TerminalStyle()
        return texts.enumerated().map { index, line in
            let kind = hasChannels ? String(decoding: line.utf8.prefix(1), as: UTF8.self) : ""
            if kind == "h" { style = TerminalStyle() }
            let shown = TerminalLine(hasChannels ? line.withoutChannel : line, &style)
            return LogLine(number: first + index, kind: kind == "o" ? "" : kind, shown: shown)
        }
    }

    /// The last lines of a log, or fewer of them if they are too long to be read at once.
    private func lastLines(of id: Int, _ total: Int, _ count: Int) async throws -> [LogLine] {
        var count = min(count, total)
        while true {
            let lines = try await lines(of: id, from: total - count, count: count)
            guard let last = lines.last, last.number + 1 < total, count > 1 else { return lines }
            count /= 2
        }
    }

    /// The lines that a page has room for, from the first one on or up to the last one.
    private static func fitting(_ lines: [LogLine], atEnd: Bool) -> [LogLine] {
        var size = 0
        let isRoom = { (line: LogLine) in
            defer { size += min(line.shown.text.utf8.count, lineLength) }
            return size < byteLimit
        }
        return atEnd
            ? lines.reversed().prefix(while: isRoom).reversed() : Array(lines.prefix(while: isRoom))
    }

    /// What a search has found.
    private struct Found {
        let lines: [LogLine]
        /// The line from which the search can go on; `nil` at the end of the log.
        let next: Int?
    }

    private func search(_ id: Int, for word: String, from first: Int) async throws -> Found {
        var (found, offset) = ([LogLine](), first)
        let wanted = word.lowercased()
        while offset < first + Self.searchLimit.lines {
            let lines = try await lines(of: id, from: offset, count: 5000)
            guard let last = lines.last else { return Found(lines: found, next: nil) }
            for line in lines where line.shown.text.lowercased().contains(wanted) {
                found.append(line)
                if found.count >= Self.searchLimit.found {
                    return Found(lines: found, next: line.number + 1)
                }
            }
            offset = last.number + 1
        }
        return Found(lines: found, next: offset)
    }
}
