"""A door of plain HTTP on loopback for the tests themselves: requests come without credentials and leave with them."""
import http.client
import http.server
import threading
import urllib.parse

BLOCK = 1 << 20


class Door:
    """Passes requests on to a server; `authorise(method, url)` gives the headers to add."""

    def __init__(self, target, authorise, tls=None):
        self.target, self.authorise, self.tls = urllib.parse.urlsplit(target), authorise, tls
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                door.pass_on(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, request):
        url = f"{self.target.scheme}://{self.target.netloc}{request.path}"
        connection = (http.client.HTTPSConnection(self.target.netloc, context=self.tls) if self.target.scheme == "https"
                      else http.client.HTTPConnection(self.target.netloc))
        try:
            headers = self.authorise(request.command, url)
            length = int(request.headers.get("Content-Length") or 0)
            for name in ("Content-Type", "Range"):
                if name in request.headers:
                    headers[name] = request.headers[name]
            body = _Body(request.rfile, length) if length else None
            if length or request.command in ("PUT", "POST", "PATCH"):
                headers["Content-Length"] = str(length)
            connection.request(request.command, request.path, body=body, headers=headers)
            answer = connection.getresponse()
            data = answer.read() if request.command != "HEAD" else b""
            request.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() in ("content-type", "etag", "content-range") or name.lower().startswith("x-amz-"):
                    request.send_header(name, value)
            request.send_header("Content-Length", str(len(data)) if request.command != "HEAD" else answer.getheader("Content-Length", "0"))
            request.end_headers()
            request.wfile.write(data)
        finally:
            connection.close()


class _Body:
    """A request's body as http.client reads one: to its length and no further."""

    def __init__(self, file, length):
        self.file, self.left = file, length

    def read(self, size=BLOCK):
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data
