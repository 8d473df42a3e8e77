"""S3 servers for tests."""
import json
import os

import binaries
import s3
from door import Door
from processes import Servers, answers, free_ports

ACCESS_KEY, SECRET_KEY = "admin", "password"


def seaweedfs():
    """Starts SeaweedFS with its S3 gateway; returns the servers and their description."""
    program = binaries.weed()
    servers = Servers("seaweedfs")
    # All ports are named: two servers on one machine collide on the default ones, gRPC's among them.
    master, master_grpc, volume, volume_grpc, filer, filer_grpc, gateway, gateway_grpc = free_ports(8)
    configuration = os.path.join(servers.folder, "s3.json")
    with open(configuration, "w", encoding="utf-8") as file:
        json.dump({"identities": [{"name": "admin", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                                   "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}, file)
    data = os.path.join(servers.folder, "data")
    os.mkdir(data)
    servers.start(
        "weed", program, "-alsologtostderr=true", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={master}", f"-master.port.grpc={master_grpc}", f"-volume.port={volume}", f"-volume.port.grpc={volume_grpc}",
        "-filer", f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}", "-s3", f"-s3.port={gateway}",
        f"-s3.port.grpc={gateway_grpc}", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={configuration}",
        "-volume.max=5000", "-master.volumeSizeLimitMB=256", "-master.telemetry=false")
    return _described(servers, gateway)


def minio():
    """Starts MinIO; returns the servers and their description."""
    program = binaries.minio()
    servers = Servers("minio")
    (port,) = free_ports(1)
    data = os.path.join(servers.folder, "data")
    os.mkdir(data)
    servers.start("minio", program, "server", data, "--address", f"127.0.0.1:{port}",
                  environment={"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_BROWSER": "off"})
    return _described(servers, port)


def moto():
    """Starts moto, which plays all of Amazon's services on one port; returns the servers and their description."""
    program = binaries.moto()
    servers = Servers("moto")
    (port,) = free_ports(1)
    servers.start("moto", program, "-H", "127.0.0.1", "-p", str(port))
    return _described(servers, port)


def _described(servers, port):
    endpoint = f"127.0.0.1:{port}"
    sign = lambda method, url: s3.signed_headers(method, url, ACCESS_KEY, SECRET_KEY)
    try:
        door = Door(f"http://{endpoint}", sign)
        servers.wait_until(f"S3 server on {endpoint}", lambda: _takes_objects(endpoint))
    except BaseException:
        servers.stop()
        raise
    return servers, {"endpoint": endpoint, "admin": door.url, "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}


def _takes_objects(endpoint):
    """Whether a bucket can be made and an object written: later than the first answer of a distributed store."""
    for path, body in (("/ready-check", b""), ("/ready-check/object", b"ready")):
        url = f"http://{endpoint}{path}"
        if not _succeeds("PUT", url, body):
            return False
    return True


def _succeeds(method, url, body):
    import urllib.error
    import urllib.request
    request = urllib.request.Request(url, data=body, method=method, headers=s3.signed_headers(method, url, ACCESS_KEY, SECRET_KEY))
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 409  # the bucket is there already
