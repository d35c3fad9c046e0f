"""A real OpenSearch or Elasticsearch node on loopback, with everything it keeps in a folder of the test, so
that it can be killed and come back with the same data.

OpenSearch 2.19 has templates, aliases, data streams and the usual ingest processors; Elasticsearch 7.17 the first
two alone. Neither has security, TLS, or lifecycle policies (ILM, ISM): those are not published as artifacts."""

import json
import subprocess
import urllib.error
import urllib.request

from harness import build_server, free_port, wait_until

_PLUGINS = {
    "opensearch": [
        "org.opensearch.transport.Netty4Plugin",
        "org.opensearch.ingest.common.IngestCommonPlugin",
        "org.opensearch.index.mapper.MapperExtrasPlugin",
    ],
    "elasticsearch": [
        "org.elasticsearch.transport.Netty4Plugin",
        "org.elasticsearch.index.mapper.MapperExtrasPlugin",
    ],
}


class Elasticsearch:
    """Runs from start() to stop() or kill(). `settings` are those of the node's configuration file, such as
    {"action.auto_create_index": "false"} or {"indexing_pressure.memory.limit": "1kb"}."""

    def __init__(self, directory, product="opensearch", settings=None, name="node"):
        self.product = product
        self._built = build_server(product)
        self.home = directory / f"{product}-{name}"
        (self.home / "config").mkdir(parents=True)
        self.log_path = self.home / "log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {
            "node.name": name,
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": free_port(),
            "path.data": self.home / "data",
            # The folder may lie on a disk that is nearly full.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "node.processors": 2,
            **(settings or {}),
        }
        self.process = None

    def start(self, wait=True):
        """Starts it, or starts it again on the same data and port."""
        command = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN",
                   f"-Djava.io.tmpdir={self.home}", "-cp", f"{self._built}/classes:{self._built}/lib/*", "Main", str(self.home),
                   ",".join(_PLUGINS[self.product]), *(f"{key}={value}" for key, value in self._settings.items())]  # fmt: skip
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.home)
        return self.wait_ready() if wait else self

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.product} ended: {self.log()[-3000:]}")
            path = "/_cluster/health?wait_for_no_initializing_shards=true&wait_for_events=normal&timeout=1s"
            status, answer = self.call("GET", path)
            return status == 200 and not answer["timed_out"]

        wait_until(lambda: f"{self.product} is ready\n{self.log()[-3000:]}", ready, timeout=60, pause=0.1)
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def call(self, method, path, body=None, headers=None):
        """(status, answer): decoded if it is JSON. `body`: bytes, or a dict. Status 0: nobody answered."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                status, text = reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def must(self, method, path, body=None):
        """As call(), where everything but success fails the test."""
        status, answer = self.call(method, path, body)
        if not 200 <= status < 300:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer

    def get(self, path):
        return self.must("GET", path)

    def put(self, path, body=None):
        return self.must("PUT", path, body or {})

    def block_writes(self, index, blocked=True):
        """As the flood-stage watermark of the disk does it."""
        self.put(f"/{index}/_settings", {"index.blocks.read_only_allow_delete": True if blocked else None})

    def exists(self, path):
        return self.call("HEAD", path)[0] == 200

    def search(self, index, query=None, size=1000):
        """The hits, for what is indexed by now."""
        self.must("POST", f"/{index}/_refresh")
        body = {"query": query or {"match_all": {}}, "size": size, "version": True}
        return self.must("POST", f"/{index}/_search", body)["hits"]["hits"]

    def count(self, index="*"):
        """Documents; 0 if there is no such index (yet), -1 if the node does not answer."""
        if self.call("POST", f"/{index}/_refresh")[0] == 0:
            return -1
        status, answer = self.call("GET", f"/{index}/_count")
        return answer["count"] if status == 200 else 0

    def documents(self, index="*"):
        """All of them, as [{"_index", "_id", "_source"}], in the order in which each index took them."""
        self.must("POST", f"/{index}/_refresh")
        page = self.must("POST", f"/{index}/_search?scroll=1m", {"size": 5000, "sort": ["_doc"], "seq_no_primary_term": True})
        found = []
        while page["hits"]["hits"]:
            found += page["hits"]["hits"]
            page = self.must("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})
        self.call("DELETE", "/_search/scroll", {"scroll_id": [page["_scroll_id"]]})
        found.sort(key=lambda hit: (hit["_index"], hit["_seq_no"]))
        return [{key: hit[key] for key in ("_index", "_id", "_source")} for hit in found]

    def sources(self, index="*"):
        return [document["_source"] for document in self.documents(index)]

    def kill(self):
        """As by a power cut of the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """As an operator does it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        self.kill()
