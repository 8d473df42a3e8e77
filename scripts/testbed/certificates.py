"""A certificate authority and a server certificate for loopback, made by openssl."""
import os
import subprocess


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


def key_pair(folder):
    """Makes an RSA key pair for service account tokens; returns the paths of the private and the public key."""
    _openssl(folder, "genrsa", "-out", "accounts.key", "2048")
    _openssl(folder, "rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")
    return os.path.join(folder, "accounts.key"), os.path.join(folder, "accounts.pub")


def _openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
