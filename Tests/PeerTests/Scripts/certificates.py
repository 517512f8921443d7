"""Makes certificates with the library `cryptography`, and serves HTTPS with them."""

import datetime
import http.server
import ipaddress
import os
import shutil
import ssl
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make(folder):
    """Writes an authority, a stranger to it, a server's and a client's certificate; their paths."""
    authority = _Certificate("authority")
    made = {
        "authority": authority,
        "stranger": _Certificate("stranger"),
        "server": _Certificate("server", authority),
        "client": _Certificate("client", authority),
    }
    paths = {}
    for name, certificate in made.items():
        paths[name] = f"{folder}/{name}.pem"
        paths[f"{name}Key"] = f"{folder}/{name}.key"
        paths[f"{name}Both"] = f"{folder}/{name}-both.pem"
        certificate.write(paths[name], paths[f"{name}Key"], paths[f"{name}Both"])
    paths["authorities"] = f"{folder}/authorities"
    os.mkdir(paths["authorities"])
    shutil.copy(paths["authority"], paths["authorities"])
    subprocess.run(["openssl", "rehash", paths["authorities"]], check=True)
    return paths


def serve(paths, client_certificates):
    """Starts a server that answers with the name on the client's certificate; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths["server"], paths["serverKey"])
    context.load_verify_locations(paths["authority"])
    context.verify_mode = client_certificates
    # In 1.3 a missing certificate is told after the handshake, and may be lost.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = _Server(("127.0.0.1", 0), _Handler)
    server.context = context
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class _Certificate:
    def __init__(self, name, issuer=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(issuer.subject if issuer else self.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        self.certificate = self._extended(builder, issuer).sign(
            (issuer or self).key, hashes.SHA256())

    def _extended(self, builder, issuer):
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        if issuer is None:
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True,
                content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, encipher_only=False, decipher_only=False)
            return builder.add_extension(usage, critical=True).add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return builder.add_extension(signer, critical=False).add_extension(
            x509.SubjectAlternativeName([address]), critical=False)

    def write(self, path, key_path, both_path):
        certificate = self.certificate.public_bytes(serialization.Encoding.PEM)
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())
        for target, content in [(path, certificate), (key_path, key), (both_path, certificate + key)]:
            with open(target, "wb") as file:
                file.write(content)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        subject = (self.connection.getpeercert() or {}).get("subject", ())
        name = next((value for part in subject for _, value in part), "nobody")
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name.encode())

    def log_message(self, *arguments):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass
