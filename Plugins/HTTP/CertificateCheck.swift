import FoundationEssentials
import MasterKit

/// The setting `verify`: whether to verify server certificates, and against which authorities.
struct CertificateCheck: SettingValue {
    let verification: HTTPTLS.Verification

    static var shape: String { "true, false or the path of a file or folder of authorities" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> CertificateCheck? {
        if let isChecked = decoder.boolean(of: node) {
            return CertificateCheck(verification: isChecked ? .on : .off)
        }
        switch node.resolved {
        case .string(let path) where ["yes", "no", "on", "off"].contains(path.lowercased()):
            _ = Bool.decode(node, with: decoder)
            return nil
        case .string(let path) where !path.isEmpty:
            return decoder.existingPath(path, mayBeFolder: true, at: node.range).map {
                CertificateCheck(verification: .authorities(path: $0))
            }
        default:
            return decoder.mismatch(node, expected: shape)
        }
    }
}

/// The setting `cert`: the client certificate, with its key in a separate file or the same file.
struct ClientCertificate: SettingValue {
    let path: String
    let key: String?

    static var shape: String { "the path of a PEM file, or [certificate, key]" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ClientCertificate? {
        guard node.sequence != nil else {
            guard case .string(let path) = node.resolved, !path.isEmpty else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.existingPath(path, at: node.range).map {
                ClientCertificate(path: $0, key: nil)
            }
        }
        guard let pair = decoder.pair(node, shape: shape) else { return nil }
        let path = decoder.decode(String.self, from: pair.0).flatMap {
            decoder.existingPath($0, at: pair.0.range)
        }
        let key = decoder.decode(String.self, from: pair.1).flatMap {
            decoder.existingPath($0, at: pair.1.range)
        }
        guard let path, let key else { return nil }
        return ClientCertificate(path: path, key: key)
    }
}

extension HTTPTLS {
    /// Creates TLS settings from `verify` and `cert`, or returns `nil` if neither is set.
    init?(_ check: CertificateCheck?, _ certificate: ClientCertificate?) {
        guard check != nil || certificate != nil else { return nil }
        self.init(
            verification: check?.verification ?? .on, clientCertificate: certificate?.path,
            key: certificate?.key)
    }
}

extension SettingDecoder {
    /// The absolute path of an existing file of the master; adds an error if it does not exist.
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
                "\(subject) names '\(path)', which does not exist; relative paths start at the "
                    + "folder of master.yaml", at: range)
        }
        guard mayBeFolder || !isFolder else {
            return error("\(subject) names '\(path)', a folder; name a file in it", at: range)
        }
        return place
    }
}

extension SettingDecoder {
    /// The two items of a list; adds an error with `shape` for anything else.
    func pair(_ node: YAMLNode, shape: String) -> (YAMLNode, YAMLNode)? {
        guard let items = node.sequence else { return mismatch(node, expected: shape) }
        guard items.count == 2 else {
            return error(
                "\(subject) must be \(shape), not a list of \(items.count)", at: node.range)
        }
        return (items[0], items[1])
    }
}
