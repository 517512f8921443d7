internal import Dispatch
internal import Glibc

extension HTTPClient {
    /// The maximum size of a `.netrc` file, in bytes.
    private static let netrcLimit = 1 << 20

    /// Looks up the user and password for an address in the file named by `NETRC`, or in
    /// `~/.netrc`.
    ///
    /// - Throws: `HTTPError` with the code `noCredentials` if the file does not exist, cannot be
    ///   read, or has no entry for the host.
    public func netrcCredentials(
        for address: HTTPAddress, hiding: HTTPHiding? = nil
    ) async throws(HTTPError) -> (user: String, password: String) {
        let shown = ShownAddress(address, hiding: hiding)
        let path = try netrcPath()
        let text: Result<String, HTTPError> = await withCheckedContinuation { continuation in
            FileReader.makeQueue().async {
                continuation.resume(
                    returning: Result { () throws(HTTPError) in
                        try Self.text(of: path)
                    })
            }
        }
        let entry = try Self.entry(
            for: address.host, shown: shown.isHidden ? shown.authority : address.host,
            in: text.get(), path)
        return (entry.login, entry.password)
    }

    private func netrcPath() throws(HTTPError) -> String {
        if let path = variable("NETRC") { return path }
        guard let home = variable("HOME") else {
            throw .noCredentials(
                "neither NETRC nor HOME is set, so there is no .netrc file to read")
        }
        return home + "/.netrc"
    }

    private func variable(_ name: String) -> String? {
        let value =
            if let environment = configuration.environment {
                environment[name]
            } else {
                unsafe getenv(name).map { unsafe String(cString: $0) }
            }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func text(of path: String) throws(HTTPError) -> String {
        guard !path.utf8.contains(0) else {
            throw .noCredentials("the path of the .netrc file has a NUL byte")
        }
        let bytes: [UInt8]
        do throws(OpenFile.Fault) {
            let file = try OpenFile(path)
            guard file.length <= netrcLimit else {
                throw OpenFile.Fault(path: path, reason: "it has more than 1 MiB")
            }
            bytes = try file.content()
        } catch {
            throw .noCredentials("\(path) cannot be read: \(error.reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .noCredentials("\(path) is not UTF-8 text")
        }
        return text
    }

    private static func entry(
        for host: String, shown: String, in text: String, _ path: String
    ) throws(HTTPError) -> Netrc.Entry {
        let netrc: Netrc
        do throws(Netrc.Fault) {
            netrc = try Netrc(parsing: text)
        } catch {
            throw .noCredentials("line \(error.line) of \(path) is invalid: \(error.message)")
        }
        guard let entry = netrc.entry(for: host) else {
            throw .noCredentials(
                "\(path) has no entry for \(shown); add 'machine \(shown) login … password …'")
        }
        return entry
    }
}
