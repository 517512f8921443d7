"""Sends requests with the library `requests`, and serves `httpbin` and HTTPS, until stdin ends.

First a line of JSON tells the ports and paths. Then each line that comes,
{"id", "method", "url", "keywords"}, is answered by a line {"id", "status", "hops", "text"} or,
when the library throws, {"id", "error"}. The keywords are Python source.
"""

import concurrent.futures
import json
import logging
import os
import shutil
import ssl
import sys
import tempfile
import threading

import certificates
import httpbin
import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from werkzeug.serving import WSGIRequestHandler, make_server


class Bearer(AuthBase):
    """What the library's documentation says to write, since it has no such class."""

    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class KeepingConnections(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def serve_httpbin():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", 0, httpbin.app, threaded=True, request_handler=KeepingConnections)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.port


def send(command):
    names = {
        "Bearer": Bearer, "HTTPBasicAuth": HTTPBasicAuth, "HTTPDigestAuth": HTTPDigestAuth,
    }
    keywords = eval(f"dict({command['keywords']})", names)
    with requests.Session() as session:
        # The library has it beside its keywords.
        session.max_redirects = keywords.pop("max_redirects", session.max_redirects)
        response = session.request(command["method"], command["url"], **keywords)
        return {
            "status": response.status_code,
            "hops": [hop.status_code for hop in response.history],
            "text": response.text,
        }


def answer(line):
    command = json.loads(line)
    try:
        result = send(command)
    except Exception as error:
        result = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps({"id": command["id"], **result}), flush=True)


folder = tempfile.mkdtemp(prefix="peer-")
paths = certificates.make(folder)
ports = {
    "httpbin": serve_httpbin(),
    "https": certificates.serve(paths, ssl.CERT_NONE),
    "httpsForClients": certificates.serve(paths, ssl.CERT_REQUIRED),
}
print(json.dumps({"ports": ports, "paths": paths}), flush=True)
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for line in sys.stdin:
        pool.submit(answer, line)
shutil.rmtree(folder)
os._exit(0)
