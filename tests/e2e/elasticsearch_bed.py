"""What the tests of the Elasticsearch output share: configurations with short waits, and what they ask."""

import json
import subprocess

import harness
from bulk_sink import BulkSink
from harness import base_config, wait_until


def output(hosts, name="search", **more):
    """An output with short waits; `more` are keys of `elasticsearch`."""
    return {
        "name": name,
        "elasticsearch": {
            "hosts": [hosts] if isinstance(hosts, str) else hosts,
            "index": "logs",
            "batch_wait": "50ms",
            "timeout": "20s",
            "backoff": {"min_period": "50ms", "max_period": "300ms"},
            **more,
        },
    }


class ElasticsearchCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.log_file = self.dir / "app.log"
        self.log_file.touch()
        self.sinks = []

    def bulk(self, **more):
        sink = BulkSink(**more)
        self.addCleanup(sink.close)
        self.sinks.append(sink)
        return sink

    def job(self, stages=None, labels=None, name="test", path=None, **more):
        return {**harness.file_job(path or self.log_file, name, stages, labels), **more}

    def config(self, outputs, jobs=None, **more):
        config = base_config(self.dir, [], jobs or [self.job()], **more)
        if not config["clients"]:
            del config["clients"]
        config["outputs"] = outputs if isinstance(outputs, list) else [outputs]
        return config

    def run_with(self, outputs, jobs=None, **more):
        """A ready agent."""
        return self.start(self.config(outputs, jobs, **more)).wait_ready()

    def write(self, *lines, path=None):
        with open(path or self.log_file, "ab") as file:
            for line in lines:
                file.write((line if isinstance(line, bytes) else line.encode()) + b"\n")

    def wait_count(self, sink, count, index="*", timeout=15):
        def enough():
            for agent in self.agents:
                if agent.process.poll() not in (None, 0, -9):
                    agent.check_running()
            return sink.count(index) >= count

        wait_until(lambda: f"{count} documents, there are {sink.count(index)}", enough, timeout)
        return sink.sources(index)

    def check_strict(self):
        for sink in self.sinks:
            self.assertEqual(sink.violations, [])

    def dead_letters(self):
        """The lines of all dead letter files, decoded."""
        return [
            json.loads(line)
            for path in sorted((self.dir / "dead-letter").rglob("*"))
            if path.is_file()
            for line in path.read_bytes().splitlines()
        ]

    def wait_dead(self, count=1, timeout=15):
        wait_until(lambda: f"{count} dead letters: {self.dead_letters()}", lambda: len(self.dead_letters()) >= count, timeout)
        return self.dead_letters()

    def settled(self, agent, timeout=15):
        """Until the ledger says that nothing is in flight and everything that was read is settled."""
        size = self.log_file.stat().st_size

        def balanced():
            metrics = agent.metrics()
            done = metrics.sum("agent_ledger_settled_bytes_total") + metrics.sum("agent_ledger_dropped_bytes_total")
            return metrics.sum("agent_ledger_in_flight_bytes") == 0 and done >= size

        def state():
            text = agent.metrics().text
            return "\n".join(line for line in text.splitlines() if line.startswith(("agent_ledger", "agent_output")))

        wait_until(state, balanced, timeout)


def sample(agent, name, **labels):
    return agent.metrics().sum(f"agent_output_{name}", output="search", **labels)


def make_certificates(directory):
    """An authority, a server's and a client's certificate, and those of an authority that nobody knows."""

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True)

    def certificate(name, authority, subject, extension):
        (directory / f"{name}.ext").write_text(extension)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.crt", "-extfile", f"{name}.ext")  # fmt: skip

    for authority in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{authority}.key", "-out",
                f"{authority}.crt", "-days", "2", "-subj", f"/CN={authority}")  # fmt: skip
    certificate("server", "ca", "/CN=server", "subjectAltName=IP:127.0.0.1")
    certificate("misnamed", "ca", "/CN=elsewhere", "subjectAltName=DNS:elsewhere.example")
    certificate("client", "ca", "/CN=client", "extendedKeyUsage=clientAuth")
    certificate("stranger-client", "stranger", "/CN=client", "extendedKeyUsage=clientAuth")
    return {path.name: str(path) for path in directory.iterdir() if path.suffix in (".crt", ".key")}
