internal import Crypto
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// The style sheet, the script and the icon of the dashboard.
enum DashboardAsset: String, CaseIterable {
    case style = "style.css"
    case script = "script.js"
    case icon = "icon.svg"

    init?(_ path: [String]) {
        guard path.count == 1, let asset = Self(rawValue: path[0]) else { return nil }
        self = asset
    }

    /// The address, which changes with the content, so that browsers can keep it.
    func address(_ site: WebSite) -> String {
        "\(site.home)\(rawValue)?v=\(Self.versions[self] ?? "")"
    }

    private static let versions = Dictionary(
        uniqueKeysWithValues: allCases.map { asset in
            let digest = SHA256.hash(data: Array(asset.content.utf8)).prefix(6)
            return (asset, digest.map { String($0, radix: 16) }.joined())
        })

    var response: Response {
        Response(
            status: .ok,
            headers: [
                .contentType: mediaType, .cacheControl: "public, max-age=31536000, immutable",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: content)))
    }

    private var mediaType: String {
        switch self {
        case .style: "text/css; charset=utf-8"
        case .script: "text/javascript; charset=utf-8"
        case .icon: "image/svg+xml"
        }
    }

    private var content: String {
        switch self {
        case .style: Self.styleSheet
        case .script: Self.scriptText
        case .icon:
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" \
            height="32" rx="6" fill="#1f5f99"/><path d="M8 16l6 6 10-12" fill="none" \
            stroke="#fff" stroke-width="4"/></svg>
            """
        }
    }
}
