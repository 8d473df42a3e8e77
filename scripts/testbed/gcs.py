"""fake-gcs-server, an emulator of Google Cloud Storage, and beside it a token endpoint that verifies assertions as Google's does."""
import base64
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import binaries
import certificates
from processes import Servers, answers, free_ports

EMAIL = "argo@project.iam.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def fake_gcs_server():
    """Starts the emulator and the token endpoint; returns the servers and their description."""
    program = binaries.fake_gcs_server()
    servers = Servers("fake-gcs")
    try:
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        private, public = certificates.key_pair(servers.folder)
        subprocess.run(["openssl", "genrsa", "-out", "other.key", "2048"], cwd=servers.folder, check=True, capture_output=True)
        tokens = TokenEndpoint(servers.folder, public)
        servers.start("fake-gcs-server", program, "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port),
                      "-public-host", f"127.0.0.1:{port}", "-external-url", url, "-log-level", "warn")
        servers.wait_until(f"fake-gcs-server on {url}", lambda: answers(f"{url}/storage/v1/b?project=p"))
    except BaseException:
        servers.stop()
        raise
    return servers, {"endpoint": f"127.0.0.1:{port}", "admin": url, "details": {
        "account": _account(private, tokens.url), "wrongAccount": _account(os.path.join(servers.folder, "other.key"), tokens.url)}}


def _account(key, token_url):
    with open(key, encoding="ascii") as file:
        private = file.read()
    return json.dumps({"type": "service_account", "project_id": "project", "private_key_id": "key-1", "private_key": private,
                       "client_email": EMAIL, "client_id": "1", "token_uri": token_url}, indent=2)


class TokenEndpoint:
    """Gives a token for an assertion that is signed by the account's key, for this endpoint and for now."""

    def __init__(self, folder, public):
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                cause = endpoint.fault(form)
                status, answer = (400, {"error": "invalid_grant", "error_description": cause}) if cause else (
                    200, {"access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer"})
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.folder, self.public, self.lock = folder, public, threading.Lock()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/token"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def fault(self, form):
        """What is wrong with a request; None for nothing."""
        try:
            header, claims, signature = form["assertion"].split(".")
            head, told = json.loads(_decoded(header)), json.loads(_decoded(claims))
        except (KeyError, ValueError):
            return "the assertion cannot be read"
        if form.get("grant_type") != GRANT or head.get("alg") != "RS256":
            return "the grant is another one"
        if told.get("iss") != EMAIL or told.get("aud") != self.url:
            return "issuer or audience are others"
        now = time.time()
        if not now - 300 < told["iat"] < now + 300 or told["exp"] - told["iat"] > 3600:
            return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        with self.lock:
            with open(os.path.join(self.folder, "signature"), "wb") as file:
                file.write(_decoded(signature))
            verified = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.public, "-signature", "signature"],
                                      cwd=self.folder, input=f"{header}.{claims}".encode(), capture_output=True, check=False)
        return None if verified.returncode == 0 else "Invalid JWT Signature."


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
