"""Web servers for tests: nginx with WebDAV in every kind of protection, and beside it token endpoints and redirects of our own.

All doors of nginx lead to the same folder, so that what one stores another gives.
"""
import base64
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import binaries
import certificates
from processes import Servers, answers, free_ports

USER, PASSWORD = "us er", "pass:w\u00f6rd"
CLIENT_ID, CLIENT_SECRET = "client id", "client/secret+%"
SERVER_NAMES = "IP:127.0.0.1,DNS:localhost"
DOORS = ("plain", "tls", "basic", "bearer", "certificate", "bearerCertificate", "expired", "otherName", "otherAuthority", "oldProtocol")


def nginx():
    """Starts nginx and what is beside it; returns the servers and their description."""
    program = binaries.nginx()
    servers = Servers("nginx")
    try:
        ports = dict(zip(DOORS, free_ports(len(DOORS))))
        helper = Helper(ports)
        _make_certificates(servers.folder)
        os.makedirs(os.path.join(servers.folder, "data"))
        with open(os.path.join(servers.folder, "passwords"), "w", encoding="utf-8") as file:
            hashed = subprocess.run(["openssl", "passwd", "-apr1", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True)
            file.write(f"{USER}:{hashed.stdout.decode()}")
        configuration = os.path.join(servers.folder, "nginx.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(_configuration(servers.folder, ports, helper.port))
        servers.start("nginx", program, "-p", servers.folder, "-c", configuration, "-e", "stderr")
        plain = f"http://127.0.0.1:{ports['plain']}/"
        servers.wait_until(f"nginx on {plain}", lambda: answers(plain))
    except BaseException:
        servers.stop()
        raise
    details = {f"{name}Port": str(port) for name, port in ports.items()} | {
        "helperPort": str(helper.port), "folder": servers.folder, "user": USER, "password": PASSWORD, "clientID": CLIENT_ID,
        "clientSecret": CLIENT_SECRET}
    return servers, {"endpoint": f"127.0.0.1:{ports['plain']}", "admin": plain, "details": details,
                     "authority": os.path.join(servers.folder, "ca.crt")}


def _make_certificates(folder):
    certificates.authority(folder, "ca", "argoexec test authority")
    certificates.authority(folder, "other-ca", "another authority")
    certificates.issue(folder, "server", "ca", names=SERVER_NAMES)
    certificates.issue(folder, "expired", "ca", names=SERVER_NAMES, days=-1)
    certificates.issue(folder, "other-name", "ca", names="DNS:elsewhere.invalid")
    certificates.issue(folder, "foreign", "other-ca", names=SERVER_NAMES)
    certificates.issue(folder, "client", "ca", names="DNS:client")


def _configuration(folder, ports, helper):
    # A store of files: PUT makes the folders it needs, and refuses what comes without its length.
    store = """
        root data;
        client_max_body_size 0;
        client_body_temp_path temporary;
        merge_slashes off;
        dav_methods PUT DELETE;
        create_full_put_path on;
        dav_access user:rw group:r all:r;
        location / {
            set $missing "$request_method $content_length";
            if ($missing = "PUT ") { return 411; }
        }
        location /echo/ {
            proxy_pass http://127.0.0.1:HELPER;
        }
        location /packed/ {
            gzip on;
            gzip_types *;
            gzip_min_length 1;
        }""".replace("HELPER", str(helper))
    protected = store.replace("location / {", "location / {\n            auth_request /introspect;").replace(
        "location /packed/ {", "location /packed/ {\n            auth_request /introspect;") + f"""
        location = /introspect {{
            internal;
            proxy_pass http://127.0.0.1:{helper}/introspect;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}"""
    tls = lambda certificate: f"ssl_certificate {certificate}.crt; ssl_certificate_key {certificate}.key;"
    client = "ssl_client_certificate ca.crt; ssl_verify_client on;"
    servers = [
        (ports["plain"], "", store), (ports["tls"], tls("server"), store),
        (ports["basic"], "auth_basic store; auth_basic_user_file passwords;", store), (ports["bearer"], "", protected),
        (ports["certificate"], tls("server") + client, store), (ports["bearerCertificate"], tls("server") + client, protected),
        (ports["expired"], tls("expired"), store), (ports["otherName"], tls("other-name"), store),
        (ports["otherAuthority"], tls("foreign"), store),
        (ports["oldProtocol"], tls("server") + "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;", store),
    ]
    blocks = "\n".join(
        f"    server {{\n        listen 127.0.0.1:{port}{' ssl' if 'ssl_certificate' in settings else ''};\n        {settings}{body}\n    }}"
        for port, settings, body in servers)
    # As root the workers would change to a user who may not enter the folder.
    owner = "user root;" if os.geteuid() == 0 else ""
    return f"""
daemon off;
{owner}
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    proxy_temp_path temporary-proxy;
    fastcgi_temp_path temporary-fastcgi;
    uwsgi_temp_path temporary-uwsgi;
    scgi_temp_path temporary-scgi;
{blocks}
}}
"""


class Helper:
    """Token endpoints, their introspection, redirects, and answers that repeat the request.

      POST /token/KIND      a token; KIND: basic (the client names itself by header only), body (in the form only), flaky (503 first),
                            form (the answer is a form), short (valid for a second)
      POST /revoke          from now on no token given so far is valid
      GET  /introspect      204 where the bearer token is valid, else 401
      ANY  /redirect/STATUS/NAME   to NAME at another name of this machine, by a signed URL
      ANY  /here/STATUS/NAME       to NAME at the plain door of the same name
      ANY  /signed/NAME     the file; refuses requests with an Authorization
      ANY  /echo/STATUS/…   an error whose body repeats the whole request, also through all doors
    """

    def __init__(self, ports):
        self.ports, self.tokens, self.flaky, self.issued, self.lock = ports, {}, 0, 0, threading.Lock()
        helper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = helper.answer(self, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_HEAD = do_PUT = do_POST = handle_any

            def log_message(self, *_):
                pass

        # By both of the machine's names.
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request, body):
        """Status, headers and body for a request."""
        address = urllib.parse.urlsplit(request.path)
        words = address.path.split("/")[1:]
        plain = f"http://127.0.0.1:{self.ports['plain']}"
        match words:
            case ["token", kind] if request.command == "POST":
                return self.token(kind, request, body)
            case ["revoke"]:
                with self.lock:
                    self.tokens.clear()
                return 204, {}, b""
            case ["introspect"]:
                scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
                with self.lock:
                    valid = scheme == "Bearer" and self.tokens.get(token, 0) > time.time()
                return (204 if valid else 401), {}, b""
            case ["redirect", status, *name]:
                return int(status), {"Location": f"http://localhost:{self.port}/signed/{'/'.join(name)}?sig=presigned"}, b"elsewhere"
            case ["here", status, *name]:
                return int(status), {"Location": f"{plain}/{'/'.join(name)}"}, b"there"
            case ["signed", *name]:
                if "Authorization" in request.headers or "Cookie" in request.headers or address.query != "sig=presigned":
                    return 400, {}, b"only one way of authorisation is allowed"
                return self.passed_on(request, body, f"{plain}/{'/'.join(name)}")
            case ["echo", status, *_]:
                text = f"{request.command} {request.path}\r\n{request.headers}{body.decode(errors='replace')}"
                if "apis" in words:  # as Kubernetes tells of an error
                    answer = {"kind": "Status", "status": "Failure", "message": text, "reason": "Forbidden", "code": int(status)}
                    return int(status), {"Content-Type": "application/json"}, json.dumps(answer).encode()
                return int(status), {"Content-Type": "text/html"}, f"<pre>{text}</pre>".encode()
        return 404, {}, b""

    def passed_on(self, request, body, url):
        message = urllib.request.Request(url, data=body if request.command == "PUT" else None, method=request.command)
        try:
            with urllib.request.urlopen(message) as answer:
                return answer.status, {}, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, {}, b""

    def token(self, kind, request, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        header = request.headers.get("Authorization") or ""
        if header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            client, way = (urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)), "basic"
        else:
            client, way = (form.get("client_id"), form.get("client_secret")), "body"
        if kind == "flaky":
            with self.lock:
                self.flaky += 1
                if self.flaky % 2:
                    return 503, {}, b"busy"
        if client != (CLIENT_ID, CLIENT_SECRET) or way == "body" and kind == "basic" or way == "basic" and kind == "body":
            return 401, {"Content-Type": "application/json"}, json.dumps({"error": "invalid_client", "error_description": body.decode()}).encode()
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "read write" or form.get("audience") != "the store":
            return 400, {"Content-Type": "application/json"}, b'{"error":"invalid_scope"}'
        with self.lock:
            self.issued += 1
            token, life = f"token-{self.issued}", 1 if kind == "short" else 3600
            self.tokens[token] = time.time() + life
        fields = {"access_token": token, "token_type": "bearer", "expires_in": life}
        if kind == "form":
            return 200, {"Content-Type": "application/x-www-form-urlencoded"}, urllib.parse.urlencode(fields).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps(fields).encode()
