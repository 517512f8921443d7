/// What looks up records for reports: the store, or a stand-in in tests.
public protocol ReportSource: Sendable {
    /// The steps of a build, in order, with their logs and the content of these when wanted.
    ///
    /// - Parameters:
    ///   - build: The record of the build.
    ///   - details: Whether and which logs come with the steps.
    /// - Returns: The records of the steps.
    /// - Throws: What the store says.
    func steps(of build: JSONObject, with details: BuildDetails) async throws -> [JSONValue]

    /// The ends of the builds of a finished buildset, each as the event that told of it; of a
    /// build that was tried again only the last try.
    func ends(ofBuildset id: Int) async throws -> [Event]

    /// The result of a build, `nil` while it runs or when it is not known.
    func results(ofBuild id: Int) async throws -> Results?

    /// The result of a step of a build, `nil` while it runs or when there is none of this name.
    func results(ofStep name: String, inBuild id: Int) async throws -> Results?
}
