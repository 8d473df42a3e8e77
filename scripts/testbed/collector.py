"""Starting a collector of traces (`otlp_server.py`)."""
import glob
import json
import os

import certificates
from processes import ROOT, TOOLS, Servers, Unavailable


def start():
    """Starts a collector; returns the servers and what there is to know of them."""
    python = os.path.join(TOOLS, "venv", "bin", "python")
    if not glob.glob(os.path.join(TOOLS, "venv", "lib", "python3*", "site-packages", "grpc")):
        raise Unavailable("collector of traces: not installed; scripts/test installs it")
    servers = Servers("collector")
    try:
        authority, *_ = certificates.make(servers.folder)
        servers.start("collector", python, os.path.join(ROOT, "scripts", "testbed", "otlp_server.py"), servers.folder)
        path = os.path.join(servers.folder, "description.json")
        servers.wait_until("the collector", lambda: os.path.exists(path))
        with open(path, encoding="utf-8") as file:
            return servers, json.load(file) | {"authority": authority}
    except BaseException:
        servers.stop()
        raise
