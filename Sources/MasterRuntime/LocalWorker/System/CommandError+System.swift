import Glibc
import MasterKit

extension CommandError {
    /// Says what could not be done with a path, and why.
    ///
    /// - Parameters:
    ///   - task: What could not be done: `the folder /x cannot be made`.
    ///   - fault: The answer of the system.
    init(_ task: String, _ fault: SystemFault) {
        let (code, remedy): (Code, String) =
            switch fault.number {
            case ENOENT: (.notFound, "check the path")
            case ENOTDIR, EISDIR, EEXIST, ENOTEMPTY: (.wrongKind, "check what stands at the path")
            case EACCES, EPERM: (.denied, "change the permissions, or the path")
            case EROFS: (.denied, "the file system is read-only; choose another path")
            case ENOSPC, EDQUOT: (.system, "make room on the disk")
            case EMFILE, ENFILE: (.noResources, "raise the limit on open files")
            case ENAMETOOLONG: (.system, "choose a shorter path")
            case ELOOP: (.system, "the symbolic links on the way lead in a circle; remove one")
            default: (.system, "check the disk and the path")
            }
        self.init(code, "\(task) (\(fault)); \(remedy)", cause: fault)
    }
}
