internal import Dispatch
internal import MasterKit

/// What a build works with: the configuration that was in force when it began, and what all builds
/// of a master share.
struct BuildEnvironment: Sendable {
    let configuration: MasterConfiguration
    let secrets: SecretValues
    let store: Store
    let http: HTTPClient
    /// The session of all builds, when the file says that they share one.
    let sharedSession: HTTPSession?
    let basedir: String
    let logQueue: DispatchQueue
    let logger: Logger

    var mask: SecretMask { secrets.mask }

    /// The session for one build.
    func session() throws(HTTPError) -> HTTPSession {
        if let sharedSession { return sharedSession }
        return try http.makeSession()
    }

    func builddir(of builder: BuilderConfiguration) -> String {
        basedir + "/work/" + FilePaths.component(builder.name)
    }
}
