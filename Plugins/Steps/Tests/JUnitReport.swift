/// Counts the tests in a JUnit report.
///
/// It uses the `testcase` elements and their direct children; the totals in a report mean different
/// things in different programs. Reports are not trusted: no entities are expanded, and nothing is
/// fetched.
struct JUnitReport {
    /// The reason why a file is not a JUnit report.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var counts = TestCounts()

    private enum Outcome {
        case passed, failed, skipped
    }

    private var open: [Substring] = []
    private var outcome: Outcome?

    /// Parses a report.
    ///
    /// - Throws: ``Fault`` if it is not XML, or has no test suite.
    init(_ text: String) throws(Fault) {
        var rest = text[...]
        var hasSuite = false
        while let start = rest.firstIndex(of: "<") {
            rest = rest[start...]
            if let section = Self.section(of: rest) {
                guard let end = rest.firstRange(of: section) else {
                    throw Fault(description: "it ends within <\(rest.dropFirst().prefix(8))")
                }
                rest = rest[end.upperBound...]
                continue
            }
            guard let end = Self.tagEnd(in: rest) else {
                throw Fault(description: "it ends within a tag")
            }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            hasSuite = hasSuite || tag.hasPrefix("testsuite")
            try note(tag)
        }
        if let element = open.last { throw Fault(description: "<\(element)> has no end") }
        guard hasSuite else { throw Fault(description: "it has no element <testsuite>") }
    }

    /// The terminator of a comment, CDATA section, processing instruction or declaration.
    private static func section(of text: Substring) -> String? {
        if text.hasPrefix("<!--") { return "-->" }
        if text.hasPrefix("<![CDATA[") { return "]]>" }
        if text.hasPrefix("<?") { return "?>" }
        return text.hasPrefix("<!") ? ">" : nil
    }

    /// The end of a tag: the first `>` outside a quoted value.
    private static func tagEnd(in text: Substring) -> Substring.Index? {
        var quote: Character?
        for index in text.indices {
            switch text[index] {
            case quote: quote = nil
            case "\"" where quote == nil, "'" where quote == nil: quote = text[index]
            case ">" where quote == nil: return index
            default: break
            }
        }
        return nil
    }

    private mutating func note(_ tag: Substring) throws(Fault) {
        if tag.first == "/" {
            let name = tag.dropFirst().prefix { !$0.isWhitespace }
            guard open.popLast() == name else {
                throw Fault(description: "</\(name)> ends nothing")
            }
            if name == "testcase" { finish() }
            return
        }
        let isEmpty = tag.last == "/"
        let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
        switch name {
        case "testcase":
            outcome = tag.contains("status=\"disabled\"") ? .skipped : .passed
            if isEmpty { finish() }
        case "failure" where open.last == "testcase", "error" where open.last == "testcase":
            outcome = .failed
        case "skipped" where open.last == "testcase" && outcome != .failed: outcome = .skipped
        default: break
        }
        guard !isEmpty else { return }
        guard open.count < 100 else { throw Fault(description: "its elements nest too deep") }
        open.append(name)
    }

    private mutating func finish() {
        switch outcome {
        case .passed: counts.passed += 1
        case .failed: counts.failed += 1
        case .skipped: counts.skipped += 1
        case nil: break
        }
        outcome = nil
    }
}
