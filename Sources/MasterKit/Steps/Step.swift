/// A part of a build: it does one thing and says how it went.
///
/// A step is shared by all builds; what belongs to one run lives in ``run(in:)``.
public protocol Step: Plugin where Options == StepOptions {
    /// Does the work. Called once a build, in a task of its own that is cancelled when the build
    /// is stopped.
    ///
    /// - Returns: How it went; a failed build is never a thrown error.
    /// - Throws: Only what was not expected; it becomes the result exception, with a log of it.
    func run(in context: StepContext) async throws -> Results
}

extension Step {
    /// The namespace `steps`.
    public static var namespace: PluginNamespace { PluginKind.steps.namespace }
}

/// A step as master.yaml declares it.
public typealias StepDeclaration = PluginDeclaration<any Step, StepOptions>

extension PluginKind<any Step, StepOptions> {
    /// Steps.
    public static var steps: Self { Self("steps", scope: .build) }
}
