import Foundation

/// Certificates created with the `openssl` command in a folder.
struct TestCertificates {
    let folder: String

    /// The authority that signed `server` and `client`.
    var authority: String { "\(folder)/ca.pem" }
    /// A folder of authorities, prepared with `openssl rehash`.
    var authorityFolder: String { "\(folder)/authorities" }
    /// An authority that did not sign either.
    var stranger: String { "\(folder)/stranger.pem" }

    /// The path of a certificate: `server`, `client`, or `elsewhere` for another host name.
    func certificate(_ name: String) -> String { "\(folder)/\(name).pem" }
    /// The path of the key for a certificate.
    func key(_ name: String) -> String { "\(folder)/\(name).key" }

    /// Creates all certificates.
    static func make(in folder: String) async throws -> TestCertificates {
        let certificates = TestCertificates(folder: folder)
        for name in ["ca", "stranger"] {
            try await certificates.request(name, ["-x509", "-out", certificates.certificate(name)])
        }
        try await certificates.sign("server", subject: "IP:127.0.0.1")
        try await certificates.sign("elsewhere", subject: "DNS:elsewhere.example")
        try await certificates.sign("client", subject: "DNS:client.example")
        try FileManager.default.createDirectory(
            atPath: certificates.authorityFolder, withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: certificates.authority, toPath: "\(certificates.authorityFolder)/ca.pem")
        try await Tool.run("openssl", ["rehash", certificates.authorityFolder])
        return certificates
    }

    private func request(_ name: String, _ arguments: [String]) async throws {
        try await Tool.run(
            "openssl",
            [
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", key(name), "-subj", "/CN=\(name)", "-days", "2",
            ] + arguments)
    }

    private func sign(_ name: String, subject: String) async throws {
        try await request(name, ["-out", "\(folder)/\(name).csr"])
        let extensions = "\(folder)/\(name).ext"
        try Data("subjectAltName=\(subject)\n".utf8).write(to: URL(filePath: extensions))
        try await Tool.run(
            "openssl",
            [
                "x509", "-req", "-in", "\(folder)/\(name).csr", "-CA", authority, "-CAkey",
                key("ca"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                certificate(name),
            ])
    }
}

/// Runs a closure with the URL of an HTTPS server written in Python.
///
/// It responds with the number of the connection and the name on the client certificate, which it
/// requests if `asksForClient` is set. After `keepAlive` seconds without a request, it closes TLS.
func withTLSServer<Value>(
    _ certificates: TestCertificates, showing name: String = "server", asksForClient: Bool = false,
    keepAlive: Double? = nil, _ body: (String) async throws -> Value
) async throws -> Value {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
        "python3", "-c", tlsServerScript, certificates.certificate(name), certificates.key(name),
        asksForClient ? certificates.authority : "", keepAlive.map { "\($0)" } ?? "",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    let input = Pipe()
    process.standardInput = input
    try process.run()
    defer {
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }
    let line = await firstLine(of: output.fileHandleForReading.fileDescriptor)
    return try await body("https://127.0.0.1:\(line)")
}

func firstLine(of descriptor: Int32) async -> String {
    await withCheckedContinuation { continuation in
        Thread {
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            var line = ""
            while let byte = handle.readData(ofLength: 1).first, byte != 0x0A {
                line.unicodeScalars.append(Unicode.Scalar(byte))
            }
            continuation.resume(returning: line)
        }.start()
    }
}

private let tlsServerScript = """
    import http.server, os, ssl, sys, threading
    certificate, key, authority, keep_alive = sys.argv[1:5]
    lock, connections = threading.Lock(), [0]
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def setup(self):
            with lock:
                connections[0] += 1
                self.number = connections[0]
            self.request.do_handshake()
            if keep_alive: self.timeout = float(keep_alive)
            super().setup()
        def finish(self):
            super().finish()
            if keep_alive:
                try: self.request.unwrap()
                except OSError: pass
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()
        def do_GET(self):
            peer = self.connection.getpeercert() or {}
            subject = dict(pair for part in peer.get("subject", ()) for pair in part)
            name = subject.get("commonName", "-")
            body = f"{self.number} {name}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *arguments): pass
    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, address): pass
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if authority:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        # In 1.3 the lack is told after the handshake, and may be lost with the connection.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)
    """
