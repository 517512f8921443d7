/// One part of a `multipart/form-data` body: a field, or a file.
public struct HTTPPart: Sendable, Hashable {
    /// The name of the form field.
    public var name: String
    /// The file name told to the server; a plain field has none.
    public var filename: String?
    /// The `Content-Type` of the part, left out when nil.
    public var contentType: String?
    /// More headers of the part, sent after `Content-Disposition` and `Content-Type`.
    public var headers: HTTPHeaders
    /// The content, sent as it is.
    public var content: [UInt8]

    /// Makes a part of its content.
    public init(
        name: String, content: [UInt8], filename: String? = nil, contentType: String? = nil,
        headers: HTTPHeaders = [:]
    ) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
        self.headers = headers
        self.content = content
    }

    /// Makes a plain field of a text.
    public init(name: String, text: String) {
        self.init(name: name, content: Array(text.utf8))
    }
}
