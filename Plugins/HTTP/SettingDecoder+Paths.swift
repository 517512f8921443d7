import FoundationEssentials
import MasterKit

extension SettingDecoder {
    /// The place of a file of the master, which must be there.
    func existingPath(
        _ path: String, mayBeFolder: Bool = false, at range: SourceRange?
    ) -> String? {
        guard !path.utf8.contains(0) else {
            return error("\(subject) has a NUL byte in its path; remove it", at: range)
        }
        let place = place(of: path)
        var isFolder = false
        guard !path.isEmpty, FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
        else {
            return error(
                "\(subject) names '\(path)', where nothing is; a relative path starts from the "
                    + "folder of master.yaml", at: range)
        }
        guard mayBeFolder || !isFolder else {
            return error("\(subject) names '\(path)', a folder; give a file in it", at: range)
        }
        return place
    }
}
