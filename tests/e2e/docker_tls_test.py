#!/usr/bin/env python3
"""docker_sd_configs over TCP: a real daemon that wants a certificate of who asks."""

import pathlib
import subprocess

import harness
from dockerd import Dockerd
from harness import base_config, wait_until

RELABEL = [{"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"}]


def make_certificate(folder, name, authority=None):
    """NAME.pem and NAME-key.pem, by itself or by an authority, for a server on loopback and for a client."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-keyout", f"{name}-key.pem", "-out", f"{name}.pem"]
    if authority:
        command += ["-CA", f"{authority}.pem", "-CAkey", f"{authority}-key.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
        command += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


class DockerTlsTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(harness.tempfile.mkdtemp(prefix="log-agent-tls-"))
        cls.addClassCleanup(harness.shutil.rmtree, cls.folder, ignore_errors=True)
        make_certificate(cls.folder, "ca")
        make_certificate(cls.folder, "other-ca")
        for name in ("cert", "client"):
            make_certificate(cls.folder, name, "ca")
        (cls.folder / "cert-key.pem").rename(cls.folder / "key.pem")
        cls.daemon = Dockerd(tls=cls.folder)
        cls.addClassCleanup(cls.daemon.close)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.daemon.remove_all)
        self.receiver = self.sink()

    def config(self, **tls):
        docker = {"host": f"tcp://127.0.0.1:{self.daemon.port}", "refresh_interval": "1s", "tls_config": tls}
        job = {"job_name": "containers", "docker_sd_configs": [docker], "relabel_configs": RELABEL}
        return base_config(self.dir, self.receiver.url, [job])

    def test_with_a_certificate_of_its_authority(self):
        folder = self.folder
        agent = self.start(
            self.config(ca_file=f"{folder}/ca.pem", cert_file=f"{folder}/client.pem", key_file=f"{folder}/client-key.pem")
        )
        self.daemon.run("file", "echo one; echo two")
        self.daemon.run("api", "echo three", "--log-driver=local")

        wait_until("all of it is read", lambda: len(self.receiver.taken()) >= 3, 60)
        self.assertEqual(
            sorted((entry.labels["container"], entry.line) for entry in self.receiver.taken()),
            [("api", "three"), ("file", "one"), ("file", "two")],
        )
        self.assertEqual(agent.stop()[0], 0)

    def test_who_cannot_be_trusted_gets_nothing(self):
        folder = self.folder
        self.daemon.run("file", "echo one")
        for name, tls in {
            "no certificate": {"ca_file": f"{folder}/ca.pem"},
            "another authority": {
                "ca_file": f"{folder}/other-ca.pem",
                "cert_file": f"{folder}/client.pem",
                "key_file": f"{folder}/client-key.pem",
            },
        }.items():
            with self.subTest(name):
                agent = self.start(self.config(**tls), name=name.replace(" ", "-"))
                wait_until("it says so", lambda a=agent: "Docker does not answer" in a.log())
                self.assertEqual(agent.get("/ready")[0], 503)
                self.assertEqual(agent.stop()[0], 0)
        self.assertEqual(self.receiver.taken(), [])


if __name__ == "__main__":
    harness.main()
