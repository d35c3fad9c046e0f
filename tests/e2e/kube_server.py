"""A real API server with its etcd, for what only it can tell: that it takes our requests, and what it sends."""

import json
import os
import shutil
import ssl
import subprocess
import unittest
import urllib.error
import urllib.request

import harness
from harness import wait_until


class KubeServer:
    ADMIN, AGENT = "admin-token", "agent-token"

    def __init__(self, directory):
        self.directory = directory
        self.processes = []
        apiserver = harness.build_server("kube-apiserver")
        etcd = shutil.which("etcd")
        if etcd is None:
            message = "etcd is not installed: apt-get install etcd-server"
            if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
                raise AssertionError(message)
            raise unittest.SkipTest(message)
        self.etcd_port, self.port = harness.free_port(), harness.free_port()
        peer = f"http://127.0.0.1:{harness.free_port()}"
        client = f"http://127.0.0.1:{self.etcd_port}"
        self.run("etcd", etcd, "--data-dir", "etcd", "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
                 "--unsafe-no-fsync")  # fmt: skip
        (directory / "tokens.csv").write_text(
            f"{self.ADMIN},admin,1,system:masters\n{self.AGENT},agent,2,loggers\n"
        )
        subprocess.run(["openssl", "genrsa", "-out", "sa.key", "2048"], cwd=directory, check=True, capture_output=True)
        self.run("kube-apiserver", apiserver, "--etcd-servers", client, "--secure-port", str(self.port), "--bind-address", "127.0.0.1",
                 "--cert-dir", "certs", "--token-auth-file", "tokens.csv", "--authorization-mode", "RBAC",
                 "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", "sa.key",
                 "--service-account-signing-key-file", "sa.key", "--service-cluster-ip-range", "10.0.0.0/24",
                 "--disable-admission-plugins", "ServiceAccount", "--allow-privileged")  # fmt: skip
        self.tls = ssl._create_unverified_context()
        wait_until(lambda: self.log("kube-apiserver")[-2000:], self.ready, 90, pause=0.2)

    def run(self, name, *command):
        log = open(self.directory / f"{name}.log", "ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)
        log.close()
        self.processes.append((name, process))

    def log(self, name):
        return (self.directory / f"{name}.log").read_text(errors="replace")

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self):
        return self.directory / "certs/apiserver.crt"

    def ready(self):
        for name, process in self.processes:
            if process.poll() is not None:
                raise AssertionError(f"{name} ended\n{self.log(name)[-2000:]}")
        return self.call("GET", "/readyz")[0] == 200 and self.call("GET", "/api/v1/namespaces/default")[0] == 200

    def call(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, method=method, data=body and json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {self.ADMIN}")
        request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error)

    def make(self, path, obj):
        status, text = self.call("POST", path, obj)
        if status != 201:
            raise AssertionError(f"POST {path}: {status} {text}")
        return json.loads(text)

    def patch(self, path, obj):
        status, text = self.call("PATCH", path, obj, "application/merge-patch+json")
        if status != 200:
            raise AssertionError(f"PATCH {path}: {status} {text}")

    def delete(self, path):
        status, text = self.call("DELETE", path, {"gracePeriodSeconds": 0})
        if status != 200:
            raise AssertionError(f"DELETE {path}: {status} {text}")

    def allow(self, name, rules):
        """The agent may do that in the whole cluster."""
        group = "/apis/rbac.authorization.k8s.io/v1"
        self.make(f"{group}/clusterroles", {"metadata": {"name": name}, "rules": rules})
        self.make(f"{group}/clusterrolebindings", {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "User", "name": "agent", "apiGroup": "rbac.authorization.k8s.io"}],
        })  # fmt: skip

    def close(self):
        for _, process in reversed(self.processes):
            process.terminate()
        for _, process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
