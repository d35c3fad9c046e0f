"""A real Loki on loopback with everything it keeps in a temporary directory, and LogQL queries whose
answers are entries as the agent sent them."""

import json
import subprocess
import urllib.parse

from harness import build_server, free_port, http_get, wait_until
from sink import Entry

_CONFIG = """
auth_enabled: {auth}
analytics: {{reporting_enabled: false}}
server: {{http_listen_address: 127.0.0.1, http_listen_port: {http}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: warn}}
common:
  path_prefix: {dir}
  replication_factor: 1
  instance_addr: 127.0.0.1
  ring: {{kvstore: {{store: inmemory}}, instance_addr: 127.0.0.1}}
  storage: {{filesystem: {{chunks_directory: {dir}/chunks, rules_directory: {dir}/rules}}}}
ingester: {{lifecycler: {{min_ready_duration: 0s}}}}
querier: {{query_ingesters_within: 0s}}
query_range: {{cache_results: false}}
schema_config:
  configs:
    - {{from: 2020-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}
limits_config:
  reject_old_samples: false
  ingestion_rate_mb: 100
  ingestion_burst_size_mb: 200
  per_stream_rate_limit: 100MB
  per_stream_rate_limit_burst: 200MB
  max_entries_limit_per_query: 200000
  max_query_length: 0s
  max_query_lookback: 0s
  query_ready_index_num_days: 0
  split_queries_by_interval: 0s
"""


class Loki:
    """`config(dir, http_port, grpc_port)` gives another configuration than the usual one."""

    def __init__(self, directory, auth=False, config=None):
        binary = build_server("loki")
        self.dir = directory / "loki"
        self.dir.mkdir()
        self.port = free_port()
        path = self.dir / "loki.yaml"
        if config is None:
            path.write_text(
                _CONFIG.format(auth=str(auth).lower(), http=self.port, grpc=free_port(), dir=self.dir)
            )
        else:
            path.write_text(config(self.dir, self.port, free_port()))
        self._log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(
            [binary, f"-config.file={path}"], stdout=self._log, stderr=self._log, cwd=self.dir
        )
        self.url = f"http://127.0.0.1:{self.port}/loki/api/v1/push"

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"Loki ended: {(self.dir / 'log').read_text()[-2000:]}")
            return http_get(f"http://127.0.0.1:{self.port}/ready")[0] == 200

        wait_until("Loki is ready", ready, timeout=60, pause=0.1)
        return self

    def query(self, selector, begin_ns, end_ns, tenant=None):
        """Entries of [begin, end), by time. What Loki adds by itself is taken away again."""
        query = urllib.parse.urlencode(
            {"query": selector, "start": begin_ns, "end": end_ns, "limit": 200000, "direction": "forward"}
        )
        # This makes Loki keep structured metadata apart from the labels of the stream.
        headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
        if tenant:
            headers["X-Scope-OrgID"] = tenant
        status, text = http_get(
            f"http://127.0.0.1:{self.port}/loki/api/v1/query_range?{query}", headers=headers, timeout=60
        )
        if status != 200:
            raise AssertionError(f"Loki answers {status}: {text[:300]}")
        entries = []
        for stream in json.loads(text)["data"]["result"]:
            labels = {k: v for k, v in stream["stream"].items() if k != "service_name"}
            for ts, line, *more in stream["values"]:
                meta = dict(more[0].get("structuredMetadata", {})) if more else {}
                meta.pop("detected_level", None)
                entries.append(Entry(labels, int(ts), line, meta))
        return sorted(entries, key=key)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self._log.close()


def key(entry):
    """For comparing what was sent with what was found, whatever the order of streams."""
    return (sorted(entry.labels.items()), entry.ts, entry.line, sorted(entry.meta.items()))
