internal import FoundationEssentials
internal import HTTPTypes
internal import HummingbirdCore
internal import MasterRuntime
internal import NIOCore

/// The files of an installed `buildbot-www`, read when the configuration is.
///
/// Only regular files that were there then are served, so that no request can name another one.
struct StaticFiles: Sendable {
    /// The most bytes of all files together.
    private static let sizeLimit = 32 << 20

    /// What the page is allowed to do; nothing is said of styles, some of which its script makes.
    private static let policy =
        "script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        + "font-src 'self' data:; object-src 'none'; frame-src 'none'; worker-src 'none'; "
        + "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

    /// The contents by path.
    private let files: [[String]: ByteBuffer]

    /// Reads the files.
    ///
    /// - Throws: `MasterError` if the folder does not have them.
    init(_ path: String, in parent: String) throws(MasterError) {
        let folder = path.hasPrefix("/") ? path : "\(parent)/\(path)"
        var files: [[String]: ByteBuffer] = [:]
        var size = 0
        do {
            let manager = FileManager.default
            for name in try manager.subpathsOfDirectory(atPath: folder) {
                let path = "\(folder)/\(name)"
                // A link is none, wherever it leads.
                let type = try manager.attributesOfItem(atPath: path)[.type]
                guard type as? FileAttributeType == .typeRegular,
                    let data = manager.contents(atPath: path)
                else { continue }
                size += data.count
                guard size <= Self.sizeLimit else {
                    throw MasterError(
                        .plugin, "'ui' has more than \(Self.sizeLimit) bytes of files: \(folder)")
                }
                files[name.split(separator: "/").map(String.init)] = ByteBuffer(bytes: data)
            }
        } catch let error as MasterError {
            throw error
        } catch {
            throw MasterError(.plugin, "'ui' can't be read: \(folder): \(error)")
        }
        guard files[["index.html"]] != nil else {
            throw MasterError(
                .plugin,
                "'ui' has no index.html: \(folder); install buildbot-www, and name its folder "
                    + "'buildbot_www/static'")
        }
        self.files = files
    }

    /// Answers with a file.
    ///
    /// - Throws: ``WebFault`` if there is none.
    func response(to request: WebRequest) throws(WebFault) -> Response {
        let path = request.path == [""] ? ["index.html"] : request.path
        guard let file = files[path] else { throw .notFound }
        return Response(
            status: .ok,
            headers: [
                .contentType: Self.mediaType(of: path.last ?? ""),
                .contentSecurityPolicy: Self.policy,
                // The names of assets change with their contents.
                .cacheControl: path.first == "assets"
                    ? "public, max-age=31536000, immutable" : "public, max-age=0",
            ], body: ResponseBody(byteBuffer: file))
    }

    private static func mediaType(of name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "woff": "font/woff"
        case "txt": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}
