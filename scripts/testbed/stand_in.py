"""A stand-in for the Kubernetes API server that knows task results alone: create and merge patch, with every request recorded.

It answers over TLS to the token that it names, and on a plain door for tests: GET /recorded/NAME gives the requests about a
task result, PUT /faults/NAME {"status", "times", "retryAfter"?} makes the next ones fail.
"""
import copy
import http.server
import json
import re
import secrets
import ssl
import threading

import certificates
from processes import Servers

NAMESPACE = "argo"
COLLECTION = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflowtaskresults"


class TaskResults:
    """The task results and what was asked of them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects, self.recorded, self.faults = {}, {}, {}

    def answer(self, method, path, content_type, body):
        """The status, headers and object that answer a request."""
        name = self._name(method, path, body)
        if name is None:
            return self._status(404, "NotFound", f"the server could not find the requested resource: {path}")
        with self.lock:
            status, headers, answer = self._fault(name) or self._change(method, name, content_type, body)
            self.recorded.setdefault(name, []).append(
                {"method": method, "path": path, "contentType": content_type, "body": body, "status": status})
            return status, headers, answer

    def _name(self, method, path, body):
        if method == "POST" and path == COLLECTION:
            return ((body or {}).get("metadata") or {}).get("name")
        found = re.fullmatch(re.escape(COLLECTION) + "/([^/]+)", path)
        return found[1] if found and method == "PATCH" else None

    def _change(self, method, name, content_type, body):
        if method == "POST":
            if name in self.objects:
                return self._status(409, "AlreadyExists", f'workflowtaskresults.argoproj.io "{name}" already exists')
            self.objects[name] = copy.deepcopy(body)
            return 201, {}, self.objects[name]
        if content_type != "application/merge-patch+json":
            return self._status(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {content_type}")
        if name not in self.objects:
            return self._status(404, "NotFound", f'workflowtaskresults.argoproj.io "{name}" not found')
        self.objects[name] = merge_patch(self.objects[name], body)
        return 200, {}, self.objects[name]

    def _fault(self, name):
        fault = self.faults.get(name)
        if not fault or fault["times"] <= 0:
            return None
        fault["times"] -= 1
        status, _, answer = self._status(fault["status"], {429: "TooManyRequests", 503: "ServiceUnavailable", 403: "Forbidden"}.get(
            fault["status"], "InternalError"), f'workflowtaskresults.argoproj.io "{name}": scripted failure')
        return status, {"Retry-After": str(fault["retryAfter"])} if "retryAfter" in fault else {}, answer

    @staticmethod
    def _status(code, reason, message):
        return code, {}, {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
                          "message": message}


def merge_patch(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


class _Handler(http.server.BaseHTTPRequestHandler):
    """What both doors share: JSON in, JSON out."""
    protocol_version = "HTTP/1.1"
    results = None

    def reply(self, status, answer, headers=None):
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return json.loads(data) if data else None

    def log_message(self, *_):
        pass


def _api_handler(results, token):
    class Handler(_Handler):
        def handle_any(self):
            body = self.body()
            if self.headers.get("Authorization") != f"Bearer {token}":
                self.reply(*_unauthorized())
                return
            status, headers, answer = results.answer(self.command, self.path.split("?")[0], self.headers.get("Content-Type"), body)
            self.reply(status, answer, headers)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

    return Handler


def _unauthorized():
    status, _, answer = TaskResults._status(401, "Unauthorized", "Unauthorized")
    return status, answer


def _test_handler(results):
    class Handler(_Handler):
        def do_GET(self):
            folder, _, name = self.path.rpartition("/")
            with results.lock:
                known = {"/recorded": results.recorded, COLLECTION: results.objects}.get(folder, {})
                answer = copy.deepcopy(known.get(name))
            self.reply(404 if answer is None else 200, answer)

        def do_PUT(self):
            folder, _, name = self.path.rpartition("/")
            fault = self.body()
            with results.lock:
                results.faults[name] = fault
            self.reply(200, {})

    return Handler


def start():
    """Starts the stand-in in this process; returns its folder and its description."""
    servers = Servers("stand-in-api")
    authority, certificate, key = certificates.make(servers.folder)
    token, results = secrets.token_hex(16), TaskResults()
    api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _api_handler(results, token))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    # The handshake belongs to the connection's own thread: a silent client must not hold up the others.
    api.socket = tls.wrap_socket(api.socket, server_side=True, do_handshake_on_connect=False)
    door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _test_handler(results))
    for server in (api, door):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return servers, {"endpoint": f"https://127.0.0.1:{api.server_port}", "admin": f"http://127.0.0.1:{door.server_port}",
                     "token": token, "authority": authority, "namespace": NAMESPACE}
