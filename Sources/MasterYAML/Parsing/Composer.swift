/// Builds nodes out of events and finds what is wrong with them.
struct Composer {
    /// How the reading ended.
    enum Outcome {
        /// The whole file was read; nil when it holds no document.
        case finished(YAMLNode?)
        /// A limit was passed, and a diagnostic says which.
        case refused
        /// libyaml could not go on.
        case failed(SyntaxProblem)
    }

    /// What a name after `&` stands for.
    enum Anchor {
        /// A collection whose end has not come yet, known by its offset.
        case open(Int)
        case node(YAMLNode)
    }

    let file: SourceFile
    /// Stretches that were overwritten because of mistakes reported already.
    let repairs: [Range<Int>]
    /// Whether whole sections are missing, so that an alias may miss its anchor through no fault.
    let lacksSections: Bool
    var frames: [Frame] = []
    var root: YAMLNode?
    var anchors: [String: Anchor] = [:]
    var unknownAliases: [(name: String, offsets: Range<Int>)] = []
    var nodeCount = 0
    var expandedCount = 0
    var documentCount = 0
    var diagnostics: [Diagnostic] = []
    var omittedCount = 0
    /// The offsets of the last scalar, which help to explain what libyaml stumbles over next.
    var lastScalar: (scalar: YAMLScalar, offsets: Range<Int>)?

    /// The offsets of the last event.
    var lastEvent = 0..<0

    init(file: SourceFile, repairs: [Range<Int>] = [], lacksSections: Bool = false) {
        self.file = file
        self.repairs = repairs
        self.lacksSections = lacksSections
    }

    /// Reads bytes that have the same offsets as the file.
    mutating func compose(_ reader: borrowing EventReader) -> Outcome {
        do throws(SyntaxProblem) {
            while true {
                let event = try reader.next()
                if case .streamEnd = event.kind { break }
                guard handle(event) else { return .refused }
                lastEvent = event.offsets
            }
        } catch {
            return .failed(error)
        }
        reportUnknownAliases()
        if omittedCount > 0 {
            let message = "\(omittedCount) more mistakes are not shown"
            diagnostics.append(Diagnostic(.note, message, file: file))
        }
        return .finished(root)
    }

    /// Takes an event; false when a limit is passed.
    private mutating func handle(_ event: YAMLEvent) -> Bool {
        switch event.kind {
        case .streamStart, .streamEnd, .documentEnd: return true
        case .documentStart: return startDocument(event.offsets)
        case .alias(let name): return addAlias(name, event.offsets)
        case .scalar(let scalar, let properties):
            lastScalar = (scalar, event.offsets)
            return countNode(event.offsets) && addScalar(scalar, properties, event.offsets)
        case .sequenceStart(let properties, let isFlow):
            return push(isMapping: false, isFlow, properties, event.offsets)
        case .mappingStart(let properties, let isFlow):
            return push(isMapping: true, isFlow, properties, event.offsets)
        case .sequenceEnd, .mappingEnd:
            finishCollection(event.offsets)
            return true
        }
    }

    /// Whether one more diagnostic can be noted; counts it as omitted when not.
    mutating func hasRoom() -> Bool {
        guard diagnostics.count >= YAMLParser.maximumDiagnosticCount else { return true }
        omittedCount += 1
        return false
    }

    /// Notes a diagnostic about the file, or only counts it when there are many.
    mutating func report(
        _ message: String,
        _ offsets: Range<Int>,
        severity: Diagnostic.Severity = .error,
        notes: [Diagnostic.Note] = [],
        fix: Diagnostic.Fix? = nil
    ) {
        guard hasRoom() else { return }
        diagnostics.append(
            Diagnostic(
                severity, message, file: file, range: file.range(ofUTF8: offsets), notes: notes,
                fix: fix))
    }

    /// Notes which limit is passed, however many diagnostics there are, and returns false.
    mutating func refuse(_ message: String, _ offsets: Range<Int>) -> Bool {
        let range = file.range(ofUTF8: offsets)
        diagnostics.append(Diagnostic(.error, message, file: file, range: range))
        return false
    }

    /// Hands a finished node to the collection it stands in.
    mutating func add(_ node: YAMLNode, endingAt end: Int) {
        guard let last = frames.indices.last else {
            root = node
            return
        }
        frames[last].items.append(node)
        frames[last].end = max(frames[last].end, end)
    }

    private mutating func startDocument(_ offsets: Range<Int>) -> Bool {
        documentCount += 1
        guard documentCount > 1 else { return true }
        let line = file.byteRange(ofLineAt: offsets.lowerBound)
        return refuse(
            "a second document begins here; a file has one, so remove '---' or split the file",
            offsets
                .lowerBound..<max(min(offsets.lowerBound + 3, line.upperBound), offsets.lowerBound)
        )
    }
}
