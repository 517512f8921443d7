import MasterKit
import MasterRuntime

extension SecretContext {
    /// The context for a provider on this machine, at the root of its file system.
    static let here = SecretContext.of(folder: "/")

    /// The context for a provider on this machine, with a master.yaml in a folder.
    static func of(folder: String) -> SecretContext {
        SecretContext(folder: folder, worker: LocalWorker(root: folder))
    }
}
