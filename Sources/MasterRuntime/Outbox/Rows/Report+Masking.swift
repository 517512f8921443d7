import MasterKit

extension Report {
    /// The report without the values of secrets.
    func masked(by mask: SecretMask) -> Report {
        guard !mask.isEmpty else { return self }
        var report = self
        report.subject = subject.map { mask.apply(to: $0) }
        report.body = body.masked(by: mask)
        report.builds = builds.map { mask.apply(to: $0) }
        report.buildset = buildset.map { mask.apply(to: $0) }
        report.users = users.map { mask.apply(to: $0) }
        report.patches = patches.map { mask.apply(to: $0) }
        report.logs = logs.map { mask.apply(to: $0) }
        report.extraInfo = mask.apply(to: extraInfo)
        return report
    }

    /// Takes away what a reporter does not use beside the body, the subject and the results.
    mutating func removeRecords() {
        builds = []
        buildset = nil
        users = []
        patches = []
        logs = []
        extraInfo = [:]
    }
}

extension Report.Body {
    fileprivate func masked(by mask: SecretMask) -> Report.Body {
        switch self {
        case .json(let value): .json(mask.apply(to: value))
        case .text(let text, let contentType):
            .text(mask.apply(to: text), contentType: contentType)
        case .empty: .empty
        }
    }
}
