import MasterKit

extension SettingDecoder {
    /// Reads a value that is computed for each report.
    ///
    /// A name that no report has is an error, and so is a secret: a body is stored until it has
    /// arrived.
    /// - Returns: The value, and what the expressions in it name.
    func readForReports<Value>(
        _ read: () -> Value?
    ) -> (value: Value?, paths: [[String]]) {
        let secretsBefore = secretUses.count
        let usesBefore = templateUses.count
        let value = within(.report, read)
        for use in secretUses[secretsBefore...] {
            error(
                "the body of a report is stored until it is delivered and can't hold the secret "
                    + "'\(use.name)'; send it in 'headers' or 'auth'", at: use.range)
        }
        let uses = templateUses[usesBefore...]
        for use in uses {
            if let fault = ReportVariables.fault(in: use.path) { error(fault, at: use.range) }
        }
        return (value, uses.map(\.path))
    }
}
