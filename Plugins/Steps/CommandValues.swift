import MasterKit

/// The setting `decodeRC`: the results for exit codes; all other codes are failures.
struct ExitCodeResults: SettingValue {
    private let results: [Int32: Results]

    static var shape: String { "a mapping of exit codes to results, such as {0: success}" }

    static var form: ValueForm { .mapping(of: NamedResult.form) }

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
                "exit code 0 is not listed and so is a failure; add '0: success'",
                at: node.range)
        }
        return ExitCodeResults(results: results)
    }

    /// The result for an exit code.
    subscript(code: Int32) -> Results { results[code] ?? .failure }
}

/// A valid exit code.
private struct ExitCode: SettingValue {
    let number: Int32

    static var shape: String { "an exit code from 0 to 255" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ExitCode? {
        let spelling = node.scalar.flatMap { Int32($0.value) }
        guard let number = spelling, (0...255).contains(number) else {
            return decoder.error(
                "\(decoder.subject) has \(node.wording) for \(shape)", at: node.range)
        }
        return ExitCode(number: number)
    }
}

/// A result given by name or code.
private struct NamedResult: SettingValue {
    let results: Results

    static var shape: String { "\(Results.shape), or its code" }

    static var form: ValueForm { Results.form }

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

/// An entry of `logfiles`: a path, or `{filename, follow}`.
struct LogFileSetting: SettingValue {
    let path: String
    let follows: Bool

    static var shape: String { "a path, or {filename, follow}" }

    static var form: ValueForm { .either([.text, .settings(Form.self)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LogFileSetting? {
        guard node.mapping != nil else {
            return decoder.decode(WorkerPath.self, from: node).map {
                LogFileSetting(path: $0.text, follows: false)
            }
        }
        let form = decoder.read(
            Form.self, from: node, owner: "a file of 'logfiles'", at: node.range)
        return form.map { LogFileSetting(path: $0.filename.text, follows: $0.follow) }
    }

    private struct Form: Settings {
        @Setting("The file, relative to the folder of the step.") var filename: WorkerPath
        @Setting("Leave out what the file held before the command began.") var follow = false
    }
}

/// A positive integer.
struct PositiveNumber: SettingValue {
    let value: Int

    static var shape: String { "a whole number from 1" }

    static var form: ValueForm { .integer }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PositiveNumber? {
        guard let value = decoder.decode(Int.self, from: node) else { return nil }
        guard value > 0 else { return decoder.mismatch(node, expected: shape) }
        return PositiveNumber(value: value)
    }
}

/// The setting `shell`: the program that runs a command line, and the arguments before it.
struct LineInterpreter: SettingValue {
    let arguments: [String]

    static var shape: String { "a list such as [bash, -euo, pipefail, -c]" }

    static var form: ValueForm { .list(of: .text) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LineInterpreter? {
        guard node.sequence != nil else { return decoder.mismatch(node, expected: shape) }
        guard let arguments = decoder.decode([String].self, from: node) else { return nil }
        guard arguments.first?.isEmpty == false else {
            return decoder.mismatch(node, expected: shape)
        }
        return LineInterpreter(arguments: arguments)
    }
}
