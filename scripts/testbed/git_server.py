"""git servers for tests: `git http-backend` under nginx, open and behind TLS and a password, and an sshd.

All have the same repositories:

plain.git     branches main (three commits) and dev, tags v1 (light) and v2 (annotated), refs/pull/1/head
empty.git     nothing
sub.git       one file
super.git     branches whose submodule is: relative, over ssh (`ssh`), behind TLS and a password (`private`), elsewhere behind a
              password (`elsewhere`), at an URL that would run a program (`hostile`), one of one (`nested`)
"""
import os
import shutil
import subprocess

import binaries
import certificates
from processes import TOOLS, Servers, Unavailable, answers, free_ports

USER, PASSWORD = "us er", "pass:w\u00f6rd"
BACKEND = "/usr/lib/git-core/git-http-backend"
GIT = os.path.join(TOOLS, "git")
# The server of a root's tests runs as a user, or it would want folders of the system's.
SERVER_ID = 34567


def start():
    """Starts the servers; returns them and their description."""
    program, sshd, fcgiwrap = binaries.nginx(), os.path.join(GIT, "usr/sbin/sshd"), os.path.join(GIT, "usr/sbin/fcgiwrap")
    for path in (sshd, fcgiwrap, BACKEND):
        if not os.path.exists(path):
            raise Unavailable(f"git servers: {path} is not there; scripts/test installs it")
    servers = Servers("git")
    try:
        ports = dict(zip(("open", "closed", "other", "ssh"), free_ports(4)))
        folder = servers.folder
        os.chmod(folder, 0o755)
        certificates.authority(folder, "ca", "argoexec test authority")
        certificates.issue(folder, "server", "ca", names="IP:127.0.0.1,DNS:localhost")
        with open(os.path.join(folder, "passwords"), "w", encoding="utf-8") as file:
            hashed = subprocess.run(["openssl", "passwd", "-apr1", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True)
            file.write(f"{USER}:{hashed.stdout.decode()}")
        configuration = os.path.join(folder, "nginx.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(_nginx(folder, ports))
        _repositories(os.path.join(folder, "repositories"), ports)
        libraries = {"LD_LIBRARY_PATH": next(path for path, _, names in os.walk(os.path.join(GIT, "usr/lib")) if "libnss_wrapper.so" in names)}
        servers.start("fcgiwrap", fcgiwrap, "-c", "4", "-s", f"unix:{folder}/cgi", environment=libraries)
        servers.wait_until("fcgiwrap", lambda: os.path.exists(f"{folder}/cgi"))
        servers.start("nginx", program, "-p", folder, "-c", configuration, "-e", "stderr")
        details = _sshd(servers, sshd, ports["ssh"], libraries)
        plain = f"http://127.0.0.1:{ports['open']}/"
        servers.wait_until(f"nginx on {plain}", lambda: answers(plain))
    except BaseException:
        servers.stop()
        raise
    details |= {f"{name}Port": str(port) for name, port in ports.items()} | {
        "user": USER, "password": PASSWORD, "repositories": os.path.join(folder, "repositories"), "libraries": libraries["LD_LIBRARY_PATH"]}
    return servers, {"endpoint": f"127.0.0.1:{ports['open']}", "admin": plain, "details": details, "authority": os.path.join(folder, "ca.crt")}


def _nginx(folder, ports):
    backend = f"""
        location / {{
            client_max_body_size 0;
            fastcgi_param SCRIPT_FILENAME {BACKEND};
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROJECT_ROOT {folder}/repositories;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
            fastcgi_buffering off;
            fastcgi_read_timeout 600;
            fastcgi_pass unix:{folder}/cgi;
        }}"""
    basic = "auth_basic repositories; auth_basic_user_file passwords;"
    return f"""
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    log_format requests '$server_port $remote_user $request_uri "$http_authorization"';
    access_log requests.log requests;
    client_body_temp_path temporary;
    proxy_temp_path temporary-proxy;
    fastcgi_temp_path temporary-fastcgi;
    uwsgi_temp_path temporary-uwsgi;
    scgi_temp_path temporary-scgi;
    server {{ listen 127.0.0.1:{ports['open']};
        location /moved/ {{ rewrite ^/moved/(.*)$ http://127.0.0.1:{ports['other']}/$1 redirect; }}{backend} }}
    server {{ listen 127.0.0.1:{ports['closed']} ssl; ssl_certificate server.crt; ssl_certificate_key server.key; {basic}
        location /moved/ {{ rewrite ^/moved/(.*)$ http://127.0.0.1:{ports['other']}/$1 redirect; }}{backend} }}
    server {{ listen 127.0.0.1:{ports['other']}; {basic}{backend} }}
}}
"""


def _sshd(servers, program, port, libraries):
    folder = os.path.join(servers.folder, "ssh")
    os.makedirs(folder, mode=0o755)
    for name in ("host", "client", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", os.path.join(folder, name)], check=True)
    shutil.copy(os.path.join(folder, "client.pub"), os.path.join(folder, "authorized"))
    identity = SERVER_ID if os.geteuid() == 0 else os.geteuid()
    with open(os.path.join(folder, "passwd"), "w", encoding="ascii") as file:
        file.write(f"git:x:{identity}:{identity}:git:{folder}:/bin/sh\n")
    with open(os.path.join(folder, "group"), "w", encoding="ascii") as file:
        file.write(f"git:x:{identity}:\n")
    with open(os.path.join(folder, "known_hosts"), "w", encoding="ascii") as file, open(os.path.join(folder, "host.pub"), encoding="ascii") as key:
        file.write(f"[127.0.0.1]:{port} {key.read()}")
    with open(os.path.join(folder, "sshd_config"), "w", encoding="utf-8") as file:
        file.write(f"""ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*
""")
    environment = libraries | {
        "LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": f"{folder}/passwd", "NSS_WRAPPER_GROUP": f"{folder}/group"}
    words = [program, "-D", "-e", "-f", f"{folder}/sshd_config"]
    if os.geteuid() == 0:
        shutil.chown(os.path.join(folder, "host"), identity, identity)
        words = ["setpriv", f"--reuid={identity}", f"--regid={identity}", "--clear-groups", "--", *words]
    servers.start("sshd", *words, environment=environment)
    servers.wait_until("sshd", lambda: b"Server listening" in open(servers.log("sshd"), "rb").read())
    return {"sshFolder": folder}


def _repositories(root, ports):
    """Makes the repositories, by commands of git with no configuration but their own."""
    os.makedirs(root)
    work = os.path.join(root, "work")
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
                   "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}

    def git(*words, folder=work):
        return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, env=environment, text=True).stdout.strip()

    def commit(text, name="file"):
        with open(os.path.join(work, name), "w", encoding="utf-8") as file:
            file.write(text)
        git("add", "-A")
        git("commit", "-q", "-m", text)

    def begin():
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        git("init", "-q", "-b", "main")

    def publish(name):
        git("clone", "-q", "--mirror", work, os.path.join(root, name), folder=root)

    begin()
    commit("one\n")
    git("tag", "v1")
    commit("two\n")
    git("tag", "-a", "-m", "second", "v2")
    git("branch", "dev")
    os.symlink("file", os.path.join(work, "link"))
    with open(os.path.join(work, "run.sh"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n")
    os.chmod(os.path.join(work, "run.sh"), 0o755)
    commit("three\n")
    git("checkout", "-q", "dev")
    commit("developing\n", "more")
    git("checkout", "-q", "--detach", "main")
    commit("pulled\n", "pull")
    git("update-ref", "refs/pull/1/head", "HEAD")
    git("checkout", "-q", "main")
    publish("plain.git")
    begin()
    commit("below\n", "below")
    publish("sub.git")
    git("init", "-q", "--bare", "-b", "main", os.path.join(root, "empty.git"), folder=root)

    begin()
    commit("top\n")
    head = git("rev-parse", "HEAD", folder=os.path.join(root, "sub.git"))
    urls = {"relative": "../sub.git", "ssh": f"ssh://git@127.0.0.1:{ports['ssh']}{root}/sub.git",
            "private": f"https://127.0.0.1:{ports['closed']}/sub.git", "elsewhere": f"http://127.0.0.1:{ports['other']}/sub.git",
            "hostile": "ext::sh -c touch% /tmp/hostile-submodule"}
    for branch, url in urls.items():
        git("checkout", "-q", "-b", branch, "main")
        _submodule(git, commit, work, url, head)
    publish("super.git")
    middle = git("rev-parse", "relative", folder=os.path.join(root, "super.git"))
    git("checkout", "-q", "-b", "nested", "main")
    _submodule(git, commit, work, "../super.git", middle)
    shutil.rmtree(os.path.join(root, "super.git"))
    publish("super.git")
    shutil.rmtree(work)


def _submodule(git, commit, work, url, head):
    with open(os.path.join(work, ".gitmodules"), "w", encoding="utf-8") as file:
        file.write(f'[submodule "inner"]\n\tpath = inner\n\turl = "{url}"\n')
    git("add", ".gitmodules")
    git("update-index", "--add", "--cacheinfo", f"160000,{head},inner")
    git("commit", "-q", "-m", "submodule")
    os.makedirs(os.path.join(work, "inner"), exist_ok=True)
