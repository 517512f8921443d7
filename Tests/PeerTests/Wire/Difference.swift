import Testing

/// An intentional difference between a step and `requests`.
///
/// Each is explained in HTTPSteps.md under its title.
struct Difference: Sendable, CustomTestStringConvertible {
    /// The title on the page.
    let title: String
    /// Removes the difference from requests, both those of a step and those of `requests`.
    let level: @Sendable (inout WireRequest) -> Void

    var testDescription: String { title }

    init(_ title: String, level: @escaping @Sendable (inout WireRequest) -> Void = { _ in }) {
        self.title = title
        self.level = level
    }

    static let all = everywhere + inSomeRequests + inOutcomes

    /// The differences in every request.
    static let everywhere = [orderOfHeaders, namesOfPrograms, keepAlive, boundaries]

    /// The differences only in requests that list them.
    static let inSomeRequests = [
        booleans, numberSpelling, bodyOfNothing, defaultsSetToNull, typeSetToNull, nullCookie,
        basicAsUTF8, netrcUnasked, digestSpelling, lengthOfNothing, movedBody, cookiesElsewhere,
        caseOfEscapes,
        needlessEscapes, spacesInRedirects, proxyConnection,
    ]
}

// MARK: Everywhere

extension Difference {
    static let orderOfHeaders = Difference("Order of headers") { request in
        let sorted = request.headers.enumerated().sorted { one, other in
            (one.element.name.lowercased(), one.offset)
                < (other.element.name.lowercased(), other.offset)
        }
        request.headers = sorted.map(\.element)
    }

    static let namesOfPrograms = Difference("User-Agent and Accept-Encoding") { request in
        request.map("User-Agent") { value in
            value.hasPrefix("python-requests/") || value.hasPrefix("Buildmaster")
                ? "(the default)" : value
        }
        request.map("Accept-Encoding") { $0.contains("gzip, ") ? "(the default)" : $0 }
    }

    static let keepAlive = Difference("Connection") { request in
        request.map("Connection") { $0 == "keep-alive" ? nil : $0 }
    }

    static let boundaries = Difference("Boundaries") { request in
        let prefix = "multipart/form-data; boundary="
        guard let type = request["Content-Type"], type.hasPrefix(prefix) else { return }
        let boundary = Array(type.dropFirst(prefix.count).utf8)
        request.body = request.body.split(separator: boundary).reduce(into: []) { body, piece in
            body += body.isEmpty ? Array(piece) : Array("BOUNDARY".utf8) + piece
        }
        request.map("Content-Type") { _ in prefix + "BOUNDARY" }
        let length = request.body.count
        request.map("Content-Length") { _ in String(length) }
    }
}

// MARK: In some requests

extension Difference {
    static let booleans = Difference("Booleans") { request in
        request.target = request.target.loweringBooleans
        request.body = Array(String(decoding: request.body, as: UTF8.self).loweringBooleans.utf8)
    }

    static let numberSpelling = Difference("Spelling of numbers") { request in
        request.target = request.target.replacing("1.10", with: "1.1")
        let body = String(decoding: request.body, as: UTF8.self).replacing("1.10", with: "1.1")
        request.body = Array(body.utf8)
        request.map("Content-Length") { $0 == "0" ? $0 : String(body.utf8.count) }
    }

    static let bodyOfNothing = Difference("Bodies of no bytes") { request in
        request.map("Content-Length") { $0 == "0" ? nil : $0 }
        request.map("Transfer-Encoding") { _ in nil }
    }

    static let defaultsSetToNull = Difference("Default headers set to null") { request in
        request.map("User-Agent") { $0.hasPrefix("python-urllib3/") ? nil : $0 }
        request.map("Accept-Encoding") { $0 == "identity" ? nil : $0 }
    }

    static let typeSetToNull = Difference("Content-Type set to null") { request in
        request.map("Content-Type") { _ in nil }
    }

    static let nullCookie = Difference("A cookie of null") { request in
        request.map("Cookie") { $0.replacing("a; ", with: "") }
    }

    static let basicAsUTF8 = Difference("Basic authentication beyond ASCII") { request in
        request.map("Authorization") { _ in "Basic" }
    }

    static let netrcUnasked = Difference("A netrc file") { request in
        request.map("Authorization") { _ in nil }
    }

    static let digestSpelling = Difference("Spelling of digest authentication") { request in
        request.map("Authorization") { $0.replacing("\"MD5\"", with: "MD5") }
    }

    static let lengthOfNothing = Difference("Content-Length of nothing") { request in
        request.map("Content-Length") { $0 == "0" ? nil : $0 }
    }

    static let movedBody = Difference("The body after 301, 302 and 303") { request in
        guard request.target == "/landed", ["PATCH", "PUT"].contains(request.method) else { return }
        request.body = []
        request.map("Content-Length") { _ in nil }
        request.map("Content-Type") { _ in nil }
    }

    static let cookiesElsewhere = Difference("Cookies at another host") { request in
        if request["Host"]?.hasPrefix("localhost") == true { request.map("Cookie") { _ in nil } }
    }

    static let caseOfEscapes = Difference("Letters of escapes") { request in
        request.target = request.target.replacing(/%[0-9a-fA-F]{2}/) { $0.output.uppercased() }
    }

    static let needlessEscapes = Difference("Escapes without need") { request in
        request.target = request.target.replacing("%61", with: "a").replacing("%7E", with: "~")
    }

    static let spacesInRedirects = Difference("Spaces in redirects") { request in
        request.target = request.target.replacing("=a+b", with: "=a%20b")
    }

    static let proxyConnection = Difference("Proxy-Connection") { request in
        request.map("Proxy-Connection") { _ in nil }
    }
}

// MARK: In outcomes

extension Difference {
    static let inOutcomes = [
        twoBodies, paramsAsText, numbersAsHeaders, colonInUser, spacesInAddresses,
        shortPassword, proxies,
        digestChallenge,
    ]

    static let twoBodies = Difference("Two bodies at once")
    static let paramsAsText = Difference("params as a text")
    static let numbersAsHeaders = Difference("Numbers as header values")
    static let colonInUser = Difference("A colon in a user name")
    static let shortPassword = Difference("A short password in a netrc file")
    static let proxies = Difference("Proxies")
    static let spacesInAddresses = Difference("Spaces in addresses")
    static let digestChallenge = Difference("The challenge of digest authentication")
}

extension String {
    fileprivate var loweringBooleans: String {
        replacing("=True", with: "=true").replacing("=False", with: "=false")
    }
}
