import MasterKit

/// The setting `decodeRC`: which results exit codes stand for; all others are failures.
struct ExitCodeResults: SettingValue {
    private let results: [Int32: Results]

    static var shape: String { "a mapping of exit codes to results, such as {0: success}" }

    /// Zero is success.
    static let standard = ExitCodeResults(results: [0: .success])

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ExitCodeResults? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        var results: [Int32: Results] = [:]
        var isRight = true
        for entry in entries {
            let code = decoder.decode(ExitCode.self, from: entry.key)
            let result = decoder.decode(NamedResult.self, from: entry.value)
            guard let code, let result else {
                isRight = false
                continue
            }
            results[code.number] = result.results
        }
        guard isRight else { return nil }
        if results[0] == nil {
            decoder.warning(
                "exit code 0 is not among the codes and so is a failure; add '0: success'",
                at: node.range)
        }
        return ExitCodeResults(results: results)
    }

    /// What a code stands for.
    subscript(code: Int32) -> Results { results[code] ?? .failure }
}

/// A number that a program can exit with.
private struct ExitCode: SettingValue {
    let number: Int32

    static var shape: String { "an exit code from 0 to 255" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ExitCode? {
        let spelling = node.scalar.flatMap { Int32($0.value) }
        guard let number = spelling, (0...255).contains(number) else {
            return decoder.error(
                "\(decoder.subject) has \(node.wording) for \(shape)", at: node.range)
        }
        return ExitCode(number: number)
    }
}

/// A result by its name or its code.
private struct NamedResult: SettingValue {
    let results: Results

    static var shape: String { "\(Results.shape), or its code" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> NamedResult? {
        guard case .int(let code) = node.resolved else {
            return decoder.decode(Results.self, from: node).map { NamedResult(results: $0) }
        }
        guard let results = Results(rawValue: code) else {
            return decoder.error(
                "there is no result \(code); the codes are 0 to \(Results.allCases.count - 1)",
                at: node.range)
        }
        return NamedResult(results: results)
    }
}
