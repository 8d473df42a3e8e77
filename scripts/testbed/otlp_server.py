"""Usage: otlp_server.py FOLDER, by the Python of .build/test-tools/venv.

A collector of traces: OpenTelemetry's TraceService over gRPC, with and without TLS, and a receiver of the same over HTTP.

Each request belongs to the key in its header `x-test`. By the plain door a test reads what came, GET /requests/KEY, and writes how
the next requests are answered, PUT /answers/KEY with a list of names; what is beyond the list is taken. The names:

ok            take it
partial       take it, but say that one span was left out
hang          hold it until the client is gone
busy          UNAVAILABLE, or 503
later         RESOURCE_EXHAUSTED with RetryInfo of a second, or 429 with `Retry-After: 1`
much-later    the same of an hour
exhausted     RESOURCE_EXHAUSTED without RetryInfo, or 429
refuse        INVALID_ARGUMENT, or 400 with a Status

Once it is ready FOLDER/description.json tells of it; the folder has the certificate too (`certificates.make`).
"""
import copy
import gzip
import http.server
import json
import os
import ssl
import sys
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

PATH = "/v1/traces"
ANSWERS = ("ok", "partial", "hang", "busy", "later", "much-later", "exhausted", "refuse")
# A request that is held is given up after this many seconds: far more than a test takes.
LONGEST_HOLD = 900


class Requests:
    """What came, and how what comes is answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen, self.answers = {}, {}

    def take(self, key, transport, headers, request):
        """Notes a request; returns its record, whose `answer` says what to do.

        What the collector itself adds to the headers begins with a colon: when the request came, whether its client has gone.
        """
        headers[":arrived"] = str(time.time_ns())
        with self.lock:
            waiting = self.answers.setdefault(key, [])
            record = {"transport": transport, "headers": headers, "answer": waiting.pop(0) if waiting else "ok", "held": False,
                      **described(request)}
            self.seen.setdefault(key, []).append(record)
            return record

    def hold(self, record, is_connected):
        """Keeps a request unanswered for as long as its client is there."""
        record["held"] = True
        end = time.monotonic() + LONGEST_HOLD
        while is_connected() and time.monotonic() < end:
            time.sleep(0.01)
        record["headers"][":abandoned"] = str(not is_connected()).lower()
        record["held"] = False


def described(request):
    """An ExportTraceServiceRequest as plain values."""
    spans, resource = [], {}
    for resource_spans in request.resource_spans:
        resource |= values(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            spans += [dict(described_span(span), scope=scope_spans.scope.name) for span in scope_spans.spans]
    return {"resource": resource, "spans": spans}


def described_span(span):
    return {
        "traceId": span.trace_id.hex(), "spanId": span.span_id.hex(), "parentSpanId": span.parent_span_id.hex(),
        "traceState": span.trace_state, "name": span.name, "kind": span.kind, "flags": span.flags,
        "start": str(span.start_time_unix_nano), "end": str(span.end_time_unix_nano), "attributes": values(span.attributes),
        "events": [{"name": event.name, "attributes": values(event.attributes)} for event in span.events],
        "droppedAttributes": span.dropped_attributes_count, "droppedEvents": span.dropped_events_count,
        "status": span.status.code, "statusMessage": span.status.message,
    }


def values(attributes):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}


# ---- gRPC

def grpc_servers(requests, certificate, key):
    """The TraceService without and with TLS; returns the servers and their ports."""
    class TraceService(services.TraceServiceServicer):
        def Export(self, request, context):
            headers = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
            record = requests.take(headers.get("x-test", ""), "grpc", headers, request)
            record["timeLeft"] = context.time_remaining()
            answer = record["answer"]
            if answer == "hang":
                requests.hold(record, context.is_active)
            elif answer == "busy":
                context.abort(grpc.StatusCode.UNAVAILABLE, "scripted: busy")
            elif answer == "refuse":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "scripted: 100% wrong – really")
            elif answer in ("later", "much-later", "exhausted"):
                status = status_pb2.Status(code=8, message="scripted: exhausted")
                if answer != "exhausted":
                    detail = any_pb2.Any()
                    pause = duration_pb2.Duration(seconds=1 if answer == "later" else 3600)
                    detail.Pack(error_details_pb2.RetryInfo(retry_delay=pause))
                    status.details.append(detail)
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "scripted: exhausted")
            response = service.ExportTraceServiceResponse()
            if answer == "partial":
                response.partial_success.rejected_spans = 1
                response.partial_success.error_message = "scripted: one too many"
            return response

    ports = []
    running = []
    for secure in (False, True):
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
        services.add_TraceServiceServicer_to_server(TraceService(), server)
        if secure:
            with open(key, "rb") as key_file, open(certificate, "rb") as certificate_file:
                credentials = grpc.ssl_server_credentials([(key_file.read(), certificate_file.read())])
            ports.append(server.add_secure_port("127.0.0.1:0", credentials))
        else:
            ports.append(server.add_insecure_port("127.0.0.1:0"))
        server.start()
        running.append(server)
    return running, ports


# ---- HTTP

class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, data=b"", kind="application/x-protobuf", headers=None):
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def content(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def log_message(self, *_):
        pass


def http_handler(requests):
    class Handler(_Handler):
        def do_POST(self):
            data = self.content()
            if not self.path.endswith(PATH):
                self.reply(404)
                return
            if self.headers.get("Content-Type") != "application/x-protobuf":
                self.reply(415)
                return
            request = service.ExportTraceServiceRequest.FromString(data)
            headers = {name.lower(): value for name, value in self.headers.items()} | {":path": self.path}
            record = requests.take(headers.get("x-test", ""), "http", headers, request)
            answer = record["answer"]
            if answer == "hang":
                self.connection.settimeout(0.01)
                requests.hold(record, self.is_connected)
                self.close_connection = True
                return
            response = service.ExportTraceServiceResponse()
            if answer == "partial":
                response.partial_success.rejected_spans = 1
                response.partial_success.error_message = "scripted: one too many"
            status, headers = {"busy": (503, {}), "later": (429, {"Retry-After": "1"}), "much-later": (429, {"Retry-After": "3600"}),
                               "exhausted": (429, {}), "refuse": (400, {})}.get(answer, (200, {}))
            data = response.SerializeToString() if status == 200 else status_pb2.Status(
                code=3, message=f"scripted: {answer}").SerializeToString()
            self.reply(status, data, headers=headers)

        def is_connected(self):
            try:
                return self.connection.recv(1) != b""
            except (TimeoutError, ssl.SSLWantReadError):
                return True
            except OSError:
                return False

    return Handler


def door_handler(requests):
    class Handler(_Handler):
        def do_GET(self):
            with requests.lock:
                seen = copy.deepcopy(requests.seen.get(self.path.rpartition("/")[2], []))
            self.reply(200, json.dumps(seen).encode(), "application/json")

        def do_PUT(self):
            answers = json.loads(self.content())
            if not all(answer in ANSWERS for answer in answers):
                self.reply(400)
                return
            with requests.lock:
                requests.answers[self.path.rpartition("/")[2]] = answers
            self.reply(200, b"{}", "application/json")

    return Handler


def main():
    folder = sys.argv[1]
    certificate, key = (os.path.join(folder, name) for name in ("server.crt", "server.key"))
    requests = Requests()
    running, (grpc_port, grpc_tls_port) = grpc_servers(requests, certificate, key)
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http_handler(requests))
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http_handler(requests))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    secure.socket = tls.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), door_handler(requests))
    for server in (receiver, secure, door):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    description = {
        "endpoint": f"http://127.0.0.1:{grpc_port}", "admin": f"http://127.0.0.1:{door.server_port}",
        "details": {"grpcs": f"https://127.0.0.1:{grpc_tls_port}", "http": f"http://127.0.0.1:{receiver.server_port}",
                    "https": f"https://127.0.0.1:{secure.server_port}"}}
    path = os.path.join(folder, "description.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(description, file)
    os.rename(path + ".new", path)
    for server in running:
        server.wait_for_termination()


if __name__ == "__main__":
    main()
