import MasterKit
import MasterRuntime

extension SecretContext {
    /// A provider's view of this machine, from the top of its files.
    static let here = SecretContext.of(folder: "/")

    /// A provider's view of this machine, for a master.yaml in a folder.
    static func of(folder: String) -> SecretContext {
        SecretContext(folder: folder, worker: LocalWorker(root: folder))
    }
}
