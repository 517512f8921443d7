/// The faults of a request that are found before anything is sent.
extension HTTPError {
    static func invalidURL(_ reason: String) -> HTTPError {
        HTTPError(.invalidURL, reason)
    }

    static func unsupportedScheme(_ scheme: String) -> HTTPError {
        HTTPError(
            .unsupportedScheme,
            "the URL begins with \"\(scheme)://\"; only http:// and https:// are supported"
        )
    }

    static func invalidMethod(_ method: HTTPMethod) -> HTTPError {
        guard method.rawValue != "CONNECT" else {
            return HTTPError(.invalidMethod, "the method CONNECT is for proxies and cannot be sent")
        }
        return HTTPError(
            .invalidMethod,
            "\(quoted(method.rawValue)) is not an HTTP method; write one word such as GET or POST")
    }

    static let bodyOfHead = HTTPError(
        .invalidMethod, "a HEAD request cannot have a body; omit it, or use GET")

    static func invalidHeader(name: String) -> HTTPError {
        HTTPError(
            .invalidHeader, "\(quoted(name)) is not a header name; use letters, digits and hyphens")
    }

    static func invalidHeader(valueOf name: String) -> HTTPError {
        HTTPError(
            .invalidHeader,
            "the value of the header \(name) has a line end or another control character; "
                + "write it on one line"
        )
    }

    static func reservedHeader(_ name: String) -> HTTPError {
        HTTPError(.invalidHeader, "the header \(name) is computed from the body; omit it")
    }

    static func invalidCookie(_ name: String) -> HTTPError {
        HTTPError(
            .invalidHeader,
            "the cookie \(quoted(name)) has a semicolon, a line end or another control character; "
                + "encode it"
        )
    }

    static func invalidSecret(_ what: String) -> HTTPError {
        HTTPError(.invalidHeader, "\(what) has a line end or another control character; remove it")
    }

    static func noCredentials(_ reason: String) -> HTTPError {
        HTTPError(.noCredentials, "the request has no user and password: \(reason)")
    }

    static func spoolFailed(_ folder: String, reason: String) -> HTTPError {
        HTTPError(
            .spoolFailed,
            "what is to be sent cannot be put into a temporary file in \(folder) (\(reason)); "
                + "make room there, or name another folder with TMPDIR"
        )
    }

    static func fileUnreadable(_ fault: OpenFile.Fault) -> HTTPError {
        HTTPError(.fileUnreadable, "the file \(fault.path) cannot be sent: \(fault.reason)")
    }

    /// The text in quotes, its control characters escaped, cut when it is long.
    static func quoted(_ text: String) -> String {
        let cut = text.count > 80 ? text.prefix(80) + "…" : text[...]
        var escaped = ""
        for scalar in cut.unicodeScalars {
            escaped +=
                scalar.value < 0x20 || scalar.value == 0x7F
                ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "\"\(escaped)\""
    }
}
