internal import MasterKit

extension [Diagnostic] {
    /// The diagnostics with a file, those that have none yet.
    func located(in file: SourceFile) -> [Diagnostic] {
        map {
            Diagnostic(
                $0.severity, $0.message, file: $0.file ?? file, range: $0.range, notes: $0.notes,
                fix: $0.fix)
        }
    }
}
