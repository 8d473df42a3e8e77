"""A certificate authority and a server certificate for loopback, made by openssl."""
import os
import subprocess

EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make(folder):
    """Makes ca.crt, server.crt and server.key in the folder; returns their paths."""
    authority, key, certificate = (os.path.join(folder, name) for name in ("ca.crt", "server.key", "server.crt"))
    _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
             "-subj", "/CN=argoexec test authority")
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=kube-apiserver")
    with open(os.path.join(folder, "extensions"), "w", encoding="ascii") as file:
        file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.crt",
             "-days", "2", "-extfile", "extensions")
    return authority, certificate, key


def authority(folder, name, subject):
    """Makes NAME.crt and NAME.key of an authority in the folder."""
    _openssl(folder, "req", "-x509", *EC_KEY, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={subject}")


def issue(folder, name, issuer, names, days=2):
    """Makes NAME.crt and NAME.key, issued by an authority of the folder; with negative days it has expired."""
    _openssl(folder, "req", *EC_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    with open(os.path.join(folder, f"{name}.names"), "w", encoding="ascii") as file:
        file.write(f"subjectAltName={names}\n")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-out",
             f"{name}.crt", "-days", str(days), "-extfile", f"{name}.names")


def key_pair(folder):
    """Makes an RSA key pair for service account tokens; returns the paths of the private and the public key."""
    _openssl(folder, "genrsa", "-out", "accounts.key", "2048")
    _openssl(folder, "rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")
    return os.path.join(folder, "accounts.key"), os.path.join(folder, "accounts.pub")


def _openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
