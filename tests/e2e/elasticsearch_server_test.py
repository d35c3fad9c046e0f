#!/usr/bin/env python3
"""The real OpenSearch and Elasticsearch nodes: they come up, keep what they took through a kill, and make of
bulk requests what the strict sink makes of them."""

import pathlib
import shutil
import tempfile

import harness
from bulk_cases import DOC, NDJSON, STREAM_TEMPLATE, cases, create, outcome, post, statuses, stream_cases
from elasticsearch import Elasticsearch

FILTER = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"


class NodeTest:
    """One node for all tests of a product; each has its own indices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        place = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-node-"))
        cls.addClassCleanup(shutil.rmtree, place, ignore_errors=True)
        cls.node = Elasticsearch(place, cls.PRODUCT, {"indexing_pressure.memory.limit": "2mb"})
        cls.addClassCleanup(cls.node.stop)
        cls.node.start()

    def bulk(self, body, query=FILTER):
        status, _, answer = post(self.node.url, f"/_bulk?{query}", body, {"Content-Type": NDJSON})
        self.assertEqual(status, 200, answer)
        return answer

    def check(self, wanted):
        for case in wanted:
            if case.stricter:
                continue
            with self.subTest(case.name):
                self.assertEqual(outcome(self.node.url, case), case.want)

    def test_refuses_more_than_its_memory_takes(self):
        node = self.node
        body = b"".join(create("a", {"message": "x" * 10000}) for _ in range(300))
        status, _, answer = post(node.url, "/_bulk", body, {"Content-Type": NDJSON})
        self.assertEqual(status, 429)
        self.assertEqual(answer["error"]["type"], self.REJECTED)
        self.assertEqual(statuses(self.bulk(create("a", DOC))), [201])

    def test_blocks_writes_to_one_index_alone(self):
        node = self.node
        self.bulk(create("full", DOC))
        node.block_writes("full")
        answer = self.bulk(create("full", DOC) + create("other", DOC))
        self.assertEqual(statuses(answer), [429, 201])
        self.assertEqual(answer["items"][0]["create"]["error"]["type"], "cluster_block_exception")
        node.block_writes("full", False)
        self.assertEqual(statuses(self.bulk(create("full", DOC))), [201])


class OpenSearchTest(NodeTest, harness.TestCase):
    PRODUCT, REJECTED = "opensearch", "rejected_execution_exception"

    def test_makes_of_requests_what_the_strict_sink_does(self):
        node = self.node
        node.put("/_index_template/stream", STREAM_TEMPLATE)
        self.check(cases() + stream_cases())
        self.assertEqual(node.get("/")["version"]["distribution"], "opensearch")

    def test_keeps_what_it_took_through_a_kill(self):
        node = self.node
        node.put("/_index_template/t", {"index_patterns": ["logs-*"], "template": {"aliases": {"logs": {}}}})
        self.bulk(b"".join(create("logs-a", {"n": n}, _id=str(n)) for n in range(6000)))
        node.kill()
        node.start()
        answer = self.bulk(create("logs-a", {"n": 0}, _id="0") + create("logs-b", {"n": 6000}, _id="new"))
        self.assertEqual(statuses(answer), [409, 201])
        self.assertEqual([source["n"] for source in node.sources("logs")], list(range(6001)))
        self.assertEqual(node.count("logs-a"), 6000)
        self.assertEqual(node.search("logs-a", {"term": {"n": 7}})[0]["_id"], "7")
        self.assertTrue(node.exists("/_alias/logs"))

    def test_pipelines_change_documents(self):
        node = self.node
        node.put("/_ingest/pipeline/p", {"processors": [{"set": {"field": "seen", "value": "yes"}}]})
        answer = self.bulk(create("piped", {"n": 1}, pipeline="p") + create("piped", {"n": 2}))
        self.assertEqual(statuses(answer), [201, 201])
        self.assertEqual(node.sources("piped"), [{"n": 1, "seen": "yes"}, {"n": 2}])


class ElasticsearchTest(NodeTest, harness.TestCase):
    PRODUCT, REJECTED = "elasticsearch", "es_rejected_execution_exception"

    def test_makes_of_requests_what_the_strict_sink_does(self):
        self.check(cases(types=True))
        _, headers, _ = post(self.node.url, "/", None, {}, "GET")
        self.assertEqual(headers["X-Elastic-Product"], "Elasticsearch")


if __name__ == "__main__":
    harness.main()
