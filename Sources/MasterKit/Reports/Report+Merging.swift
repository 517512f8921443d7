extension Report {
    /// Adds the report of another build of the same buildset.
    ///
    /// Texts and lists are put together, of anything else the first one stays; so do the kind of
    /// the body, the subject and each entry of the extra information. Results are the worst, and
    /// people, patches, logs and builds those of both.
    /// - Returns: Whether the body has all of both; if not, that of the other report is left out.
    @discardableResult
    public mutating func merge(_ other: Report) -> Bool {
        results = Results.worst(results, other.results)
        buildIDs += other.buildIDs
        builds += other.builds
        buildset = buildset ?? other.buildset
        users = Set(users + other.users).sorted()
        patches += other.patches.filter { !patches.contains($0) }
        logs += other.logs
        guard other.body != .empty else { return true }
        guard body == .empty || body.kind == other.body.kind else { return false }
        subject = subject ?? other.subject
        for (name, info) in other.extraInfo { merge(info, into: name) }
        guard let merged = body.appending(other.body) else { return false }
        body = merged
        return true
    }

    private mutating func merge(_ info: JSONValue, into name: String) {
        guard case .object(let theirs) = info, case .object(let ours)? = extraInfo[name] else {
            if extraInfo[name] == nil { extraInfo[name] = info }
            return
        }
        extraInfo[name] = .object(theirs.merging(ours))
    }
}

extension Report.Body {
    /// The body with another one behind it; `nil` when the two don't go together.
    fileprivate func appending(_ other: Report.Body) -> Report.Body? {
        switch (self, other) {
        case (.empty, _): other
        case (_, .empty): self
        case (.text(let one, let contentType), .text(let two, _)):
            .text(one + two, contentType: contentType)
        case (.json(.string(let one)), .json(.string(let two))): .json(.string(one + two))
        case (.json(.array(let one)), .json(.array(let two))): .json(.array(one + two))
        case (.json(.null), .json): other
        case (.json, .json(.null)): self
        default: nil
        }
    }
}
