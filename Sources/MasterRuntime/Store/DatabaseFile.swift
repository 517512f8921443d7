internal import Glibc
internal import SystemPackage

/// The file of an open database.
///
/// With its write-ahead log, SQLite goes on writing to a file that was moved or deleted, so that all
/// of it would be lost without a word.
struct DatabaseFile: Sendable {
    let path: String
    private let device: dev_t
    private let number: ino_t

    /// Notes which file is at a path.
    init(path: String) throws(StoreError) {
        self.path = path
        do {
            let status = try POSIX.status(of: FilePath(path), following: true)
            (device, number) = (status.st_dev, status.st_ino)
        } catch {
            throw StoreError(syncing: path, cause: error)
        }
    }

    /// Throws an error if the file is no longer at its path.
    func check() throws(StoreError) {
        do {
            let status = try POSIX.status(of: FilePath(path), following: true)
            guard (status.st_dev, status.st_ino) != (device, number) else { return }
        } catch  where ![ENOENT, ENOTDIR].contains(error.number) {
            return  // Whether it can be found is not known; it can be written.
        } catch {
            // It is not there.
        }
        throw StoreError(
            .system,
            "\(path) was moved, deleted or replaced while the master was running; recording and "
                + "builds have stopped; put the folder back, or restore a backup, and start again")
    }
}
