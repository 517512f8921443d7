extension HTTPBody {
    /// The bytes of a form, as ``form(_:)`` sends them, and their content type: for requests whose
    /// bytes are signed.
    public static func encodedForm(_ pairs: [HTTPPair]) -> (bytes: [UInt8], contentType: String) {
        (FormEncoding.encode(pairs), FormEncoding.contentType)
    }
}
