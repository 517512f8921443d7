internal import Dispatch
internal import MasterKit

/// What all builds of a master share.
struct BuildEnvironment: Sendable {
    let configuration: MasterConfiguration
    let store: Store
    let worker: any Worker
    let workerID: Int
    let secrets: SecretValues
    let mask: SecretMask
    let http: HTTPClient
    /// The session of all builds, when the file says that they share one.
    let sharedSession: HTTPSession?
    let basedir: String
    let logQueue: DispatchQueue
    let logger: Logger

    /// The session for one build.
    func session() throws(HTTPError) -> HTTPSession {
        if let sharedSession { return sharedSession }
        return try http.makeSession()
    }

    /// What values may ask of the worker.
    var workerInfo: JSONObject {
        ["name": .string(worker.name), "basedir": .string(basedir)]
    }

    func builddir(of builder: BuilderConfiguration) -> String {
        basedir + "/work/" + FilePaths.component(builder.name)
    }
}
