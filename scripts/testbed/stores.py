"""S3 servers for tests."""
import base64
import json
import os
import ssl
import urllib.error
import urllib.request

import binaries
import certificates
import s3
from door import Door
from processes import Servers, free_ports

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
    _start_minio(servers, program, port)
    return _described(servers, port)


def secure_minio():
    """Starts MinIO with TLS and a key management service of one key, `test-key`; returns the servers and their description."""
    program = binaries.minio()
    servers = Servers("minio-secure")
    (port,) = free_ports(1)
    folder = os.path.join(servers.folder, "certificates")
    os.mkdir(folder)
    authority, certificate, key = certificates.make(folder)
    os.rename(certificate, os.path.join(folder, "public.crt"))
    os.rename(key, os.path.join(folder, "private.key"))
    _start_minio(servers, program, port, f"--certs-dir={folder}",
                 environment={"MINIO_KMS_SECRET_KEY": "test-key:" + base64.b64encode(bytes(range(32))).decode()})
    return _described(servers, port, authority)


def _start_minio(servers, program, port, *options, environment=None):
    data = os.path.join(servers.folder, "data")
    os.mkdir(data)
    servers.start("minio", program, "server", data, "--address", f"127.0.0.1:{port}", *options,
                  environment={"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_BROWSER": "off",
                               "MINIO_DOMAIN": "localhost"} | (environment or {}))


def moto():
    """Starts moto, which plays all of Amazon's services on one port; returns the servers and their description."""
    program = binaries.moto()
    servers = Servers("moto")
    (port,) = free_ports(1)
    servers.start("moto", program, "-H", "127.0.0.1", "-p", str(port))
    return _described(servers, port)


def _described(servers, port, authority=None):
    endpoint = f"127.0.0.1:{port}"
    url = f"{'https' if authority else 'http'}://{endpoint}"
    tls = ssl.create_default_context(cafile=authority) if authority else None
    sign = lambda method, url: s3.signed_headers(method, url, ACCESS_KEY, SECRET_KEY)
    try:
        door = Door(url, sign, tls)
        servers.wait_until(f"S3 server on {endpoint}", lambda: _takes_objects(url, tls))
    except BaseException:
        servers.stop()
        raise
    return servers, {"endpoint": endpoint, "admin": door.url, "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY, "authority": authority}


def _takes_objects(address, tls):
    """Whether a bucket can be made and an object written: later than the first answer of a distributed store."""
    for path, body in (("/ready-check", b""), ("/ready-check/object", b"ready")):
        if not _succeeds("PUT", address + path, body, tls):
            return False
    return True


def _succeeds(method, url, body, tls):
    request = urllib.request.Request(url, data=body, method=method, headers=s3.signed_headers(method, url, ACCESS_KEY, SECRET_KEY))
    try:
        with urllib.request.urlopen(request, timeout=5, context=tls):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 409  # the bucket is there already
