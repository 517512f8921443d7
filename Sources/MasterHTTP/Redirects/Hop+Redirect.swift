extension Hop {
    /// Whether an answer of this status points elsewhere.
    static func isRedirect(status: Int) -> Bool {
        switch status {
        case 301, 302, 303, 307, 308: true
        default: false
        }
    }

    /// The request that an answer leads to, or nil when it is the final one.
    ///
    /// - Throws: `HTTPError` of code `badRedirect` when it leads where the client does not go.
    func redirected(by answer: HTTPExchange) throws(HTTPError) -> Hop? {
        guard Self.isRedirect(status: answer.status), let location = answer.headers["Location"],
            !location.isEmpty
        else { return nil }
        var next = self
        do throws(HTTPError) {
            next.address = try address.resolving(location)
        } catch {
            throw .badRedirect("\(place.authority) redirects to \(error.message)")
        }
        next.place = ShownAddress(next.address, hiding: hiding)
        next.changeMethod(status: answer.status)
        guard !next.address.mayKeepCredentials(of: address) else { return next }
        if hasSensitiveBody, !next.body.isNone {
            throw .badRedirect(
                "\(place.authority) redirects to \(next.place.authority) with status "
                    + "\(answer.status), and the body, which holds a secret, is not sent to another "
                    + "host; if it belongs there, use that URL")
        }
        next.dropCredentials()
        return next
    }

    private mutating func changeMethod(status: Int) {
        let changed: HTTPMethod? =
            switch status {
            case 301 where method == .post: .get
            case 302 where method != .head, 303 where method != .head: .get
            default: nil
            }
        guard let changed, changed != method else { return }
        method = changed
        body = .none
        headers = HTTPHeaders(
            headers.filter { !$0.name.lowercased().hasPrefix("content-") && !isExpect($0.name) })
    }

    private mutating func dropCredentials() {
        for name in ["Authorization", "Proxy-Authorization", "Cookie", "Host"] + sensitiveHeaders {
            headers.remove(name)
        }
        cookies = []
        digest = nil
    }

    private func isExpect(_ name: String) -> Bool {
        HTTPSyntax.isSameName(name, "Expect")
    }
}
