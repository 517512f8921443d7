/// A part of a build: it does one thing and says how it went.
///
/// A step is shared by all builds; what belongs to one run lives in ``run(in:)``.
public protocol Step: Plugin, CommonSettings {
    /// The common settings that this type has unless the file says otherwise.
    static var options: StepOptions { get }

    /// Does the work. Called once a build, in a task of its own that is cancelled when the build
    /// is stopped.
    ///
    /// - Returns: How it went; a failed build is never a thrown error.
    /// - Throws: Only what was not expected; it becomes the result exception, with a log of it.
    func run(in context: StepContext) async throws -> Results
}

extension Step {
    /// The namespace `steps`.
    public static var namespace: PluginNamespace { .steps }

    /// The options every step has.
    public static var options: StepOptions { StepOptions() }

    /// The settings common to all steps.
    public static func commonSettings() -> any Settings { StepOptionSettings() }
}
