"""Usage: plugin_server.py SOCKET FOLDER [--late SECONDS], by the Python of .build/test-tools/venv.

An artifact plugin on grpcio: serves the plugin's service (docs/contract/artifact.proto) on a unix socket and keeps artifacts as files
and folders in a folder, each by its key. A line `behaviour: NAME` of the configuration makes it rude, for loads and saves:

hang          answers nothing until the client is gone
die           ends the whole process at once, in the middle of what it writes
refuse        PERMISSION_DENIED
absent        NOT_FOUND
fail          success is false, with an error of several lines
silent-fail   success is false, without a word
echo          fails, and repeats its whole configuration
huge          an error of 100 MB
large         an error of 8 MB
nothing       says that all went well, and has done nothing
"""
import json
import os
import shutil
import sys
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto
KINDS = {"string": FIELD.TYPE_STRING, "int32": FIELD.TYPE_INT32, "bool": FIELD.TYPE_BOOL, "bytes": FIELD.TYPE_BYTES}
# A call that is held is given up after this many seconds: far more than a test takes.
LONGEST_HOLD = 120


def messages():
    """The messages' classes by their names, from the definition among the documents."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    file = descriptor_pb2.FileDescriptorProto(name="artifact.proto", package="artifact", syntax="proto3")
    with open(os.path.join(root, "docs", "contract", "artifact.proto"), encoding="utf-8") as source:
        text = "\n".join(line.split("//")[0] for line in source)
    for block in text.split("message ")[1:]:
        name, body = block.split("{", 1)
        message = file.message_type.add(name=name.strip())
        for field in filter(None, (part.strip() for part in body.split("}")[0].split(";"))):
            words = field.replace("=", " ").split()
            repeated = words[0] == "repeated"
            kind, field_name, number = words[repeated:]
            made = message.field.add(name=field_name, number=int(number), label=FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL)
            if kind in KINDS:
                made.type = KINDS[kind]
            else:
                made.type, made.type_name = FIELD.TYPE_MESSAGE, f".artifact.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"artifact.{message.name}"))
            for message in file.message_type}


class Plugin:
    def __init__(self, folder):
        self.folder, self.types = folder, messages()
        self.log = open(os.path.join(folder, "calls.log"), "a", encoding="utf-8", buffering=1)

    def place(self, artifact):
        return os.path.join(self.folder, "store", artifact.plugin.key.strip("/"))

    def note(self, call, artifact, path=""):
        self.log.write(json.dumps({
            "call": call, "name": artifact.name, "path": path, "artifactPath": artifact.path, "mode": artifact.mode, "optional": artifact.optional,
            "plugin": artifact.plugin.name, "configuration": artifact.plugin.configuration, "key": artifact.plugin.key,
            "timeout": artifact.plugin.connection_timeout_seconds}) + "\n")

    def result(self, **fields):
        return self.types["Result"](**fields)

    def behave(self, artifact, context, path):
        """What a rude plugin answers; None where it is polite."""
        lines = artifact.plugin.configuration.splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("behaviour:")), "")
        if name == "hang":
            end = time.monotonic() + LONGEST_HOLD
            while context.is_active() and time.monotonic() < end:
                time.sleep(0.02)
            self.log.write(json.dumps({"call": "abandoned"}) + "\n")
        elif name == "die":
            if path:
                with open(path, "wb") as file:
                    file.write(b"half")
            os._exit(3)
        elif name == "refuse":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not for you: 100 % no")
        elif name == "absent":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        elif name == "nothing":
            return self.result(success=True)
        return {"fail": lambda: self.result(error="first line\nsecond line"), "silent-fail": self.result,
                "echo": lambda: self.result(error="cannot read " + artifact.plugin.configuration),
                "huge": lambda: self.result(error="x" * 100_000_000), "large": lambda: self.result(error="x" * 8_000_000),
                "hang": self.result}.get(name, lambda: None)()

    def Load(self, request, context):
        artifact = request.input_artifact
        self.note("Load", artifact, request.path)
        if (rude := self.behave(artifact, context, request.path)) is not None:
            return rude
        place = self.place(artifact)
        if os.path.isdir(place):
            shutil.copytree(place, request.path)
        elif os.path.exists(place):
            shutil.copyfile(place, request.path)
        else:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such object")
        return self.result(success=True)

    def Save(self, request, context):
        artifact = request.output_artifact
        self.note("Save", artifact, request.path)
        if (rude := self.behave(artifact, context, "")) is not None:
            return rude
        place = self.place(artifact)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.isdir(request.path):
            shutil.copytree(request.path, place, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copyfile(request.path, place)
        return self.result(success=True)

    def Delete(self, request, context):
        self.note("Delete", request.artifact)
        place = self.place(request.artifact)
        if os.path.isdir(place):
            shutil.rmtree(place)
        elif os.path.exists(place):
            os.unlink(place)
        else:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such object")
        return self.result(success=True)

    def ListObjects(self, request, context):
        self.note("ListObjects", request.artifact)
        place, store = self.place(request.artifact), os.path.join(self.folder, "store")
        if not os.path.exists(place):
            return self.types["ListResult"](error="no such folder")
        names = [os.path.relpath(os.path.join(folder, name), store) for folder, _, names in os.walk(place) for name in names]
        return self.types["ListResult"](objects=sorted(names))

    def IsDirectory(self, request, context):
        self.note("IsDirectory", request.artifact)
        return self.types["DirectoryResult"](is_directory=os.path.isdir(self.place(request.artifact)))

    def serve(self, socket):
        requests = {"Load": "LoadRequest", "Save": "SaveRequest", "Delete": "DeleteRequest", "ListObjects": "ListRequest",
                    "IsDirectory": "DirectoryRequest"}
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, name), request_deserializer=self.types[kind].FromString, response_serializer=lambda message: message.SerializeToString())
            for name, kind in requests.items()}
        server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("artifact.ArtifactService", handlers),))
        server.add_insecure_port("unix:" + socket)
        server.start()
        return server


def main():
    # The executor puts flags of its own behind the words of a plugin's image.
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    socket, folder = words[0], words[1]
    if "--late" in sys.argv:
        time.sleep(float(words[2]))
    os.makedirs(folder, exist_ok=True)
    server = Plugin(folder).serve(socket)
    print(json.dumps({"socket": socket}), flush=True)
    # For tests: it ends with its standard input, where that is no device.
    if "--with-input" in sys.argv:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.wait_for_termination()


main()
