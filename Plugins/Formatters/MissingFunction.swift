import MasterKit

/// A formatter that takes a function stands in a file, which can't give one.
struct MissingFunction: Error, CustomStringConvertible {
    /// The formatter.
    let key: PluginKey

    /// What to do in place of it.
    static let remedy =
        "its function can be given in Swift alone: write a type that conforms to MessageFormatter "
        + "and name that here, or use formatters.MessageFormatter"

    /// What is wrong, and what to do.
    var description: String { "\(key) has no function; \(Self.remedy)" }

    /// Reports that a file names the formatter.
    static func report(of key: PluginKey, to settings: SettingsCheck) {
        settings.error("\(MissingFunction(key: key))", at: "function")
    }
}
