import MasterKit

extension Report {
    /// The report without the values of secrets.
    func masked(by mask: SecretMask) -> Report {
        var report = self
        report.subject = subject.map { mask.apply(to: $0) }
        switch body {
        case .json(let value):
            report.body = .json(mask.apply(to: value))
        case .text(let text, let contentType):
            report.body = .text(mask.apply(to: text), contentType: contentType)
        }
        return report
    }
}
