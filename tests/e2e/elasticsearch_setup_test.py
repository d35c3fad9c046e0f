#!/usr/bin/env python3
"""Templates, lifecycle policies and aliases that an Elasticsearch output makes: in the right order, once, whoever else
does it too; and documents that neither wait for what is refused nor come before what they need."""

import json
import pathlib
import shutil
import tempfile
import time

import harness
from bulk_setup import answer_setup
from bulk_sink import Answer, refuse
from elasticsearch import Elasticsearch
from elasticsearch_bed import ElasticsearchCase, output
from harness import run_agent, wait_until

ALIAS = {"ilm": {"rollover_alias": "shop"}}
STREAM = {"type": "logs", "dataset": "shop", "namespace": "prod"}


def first_index(alias="shop"):
    return f"{alias}-{time.strftime('%Y.%m.%d', time.gmtime())}-000001"


def setup_output(url, setup=None, name="search", **more):
    made = output(url, name, **more)
    if setup is not None:
        made["elasticsearch"]["setup"] = setup
    if "index" not in more:
        del made["elasticsearch"]["index"]
    return made


class SetupCase(ElasticsearchCase):
    def agent_setup(self, outputs, *args):
        """(exit code, lines of standard output, standard error) of `agent setup`."""
        done = run_agent(self.dir, ["setup", f"-config.file={self.write_config(outputs)}", *args])
        return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()

    def write_config(self, outputs):
        path = self.dir / "setup.yaml"
        path.write_text(json.dumps(self.config(outputs)))
        return path


class SinkTest(SetupCase):
    def test_policy_template_and_alias_are_there_before_the_first_document(self):
        sink = self.bulk()
        self.write("one", "two")
        agent = self.run_with(setup_output(sink.url, ALIAS))
        self.wait_count(sink, 2, "shop")
        self.assertEqual(sink.setups(), [
            ("GET", "/_ilm/policy/shop"), ("PUT", "/_ilm/policy/shop"),
            ("GET", "/_index_template/shop"), ("PUT", "/_index_template/shop"),
            ("GET", "/_alias/shop"), ("PUT", f"/<shop-{{now/d}}-000001>")])  # fmt: skip
        self.assertEqual(sink.store.aliases, {"shop": {first_index(): True}})
        self.assertEqual(list(sink.store.indices), [first_index()])
        rollover = sink.store.policies["shop"]["policy"]["phases"]["hot"]["actions"]["rollover"]
        self.assertEqual(rollover, {"max_primary_shard_size": "50gb", "max_age": "30d"})
        made = sink.store.templates["shop"]
        self.assertEqual((made["index_patterns"], made["priority"]), (["shop-*"], 200))
        self.assertEqual(made["template"]["settings"], {"index.lifecycle.name": "shop", "index.lifecycle.rollover_alias": "shop"})
        self.assertIs(made["template"]["mappings"]["date_detection"], False)
        self.assertTrue(all(item.meta["require_alias"] for request in sink.bulks() for item in request.items))
        self.check_strict()
        self.assertEqual(agent.stop()[0], 0)

    def test_what_is_there_stays_as_it_is(self):
        sink = self.bulk()
        for name in ("_ilm/policy", "_index_template"):
            self.assertEqual(harness.http_get(f"{sink.url}/{name}/shop")[0], 404)
        sink.store.policies["shop"] = {"policy": "theirs"}
        sink.store.templates["shop"] = {"index_patterns": ["shop-*"], "theirs": True}
        sink.store.create_index("shop-1", {"aliases": {"shop": {"is_write_index": True}}})
        before = len(sink.setups())
        self.write("one")
        self.run_with(setup_output(sink.url, ALIAS))
        self.wait_count(sink, 1, "shop")
        self.assertEqual({method for method, _ in sink.setups()[before:]}, {"GET"})
        self.assertEqual(sink.store.policies["shop"], {"policy": "theirs"})
        self.assertTrue(sink.store.templates["shop"]["theirs"])
        self.assertEqual(list(sink.store.indices), ["shop-1"])

    def test_overwrite_replaces_and_own_settings_and_fields_are_in_it(self):
        sink = self.bulk()
        sink.store.policies["keep"] = sink.store.templates["shop"] = {}
        policy = self.dir / "policy.json"
        policy.write_text('{"phases": {"delete": {"min_age": "90d", "actions": {"delete": {}}}}}')
        setup = {
            "template": {"name": "shop", "pattern": "shop*", "overwrite": True, "priority": 300,
                         "settings": {"index.number_of_shards": 3, "index": {"codec": "best_compression"}, "_source.enabled": True},
                         "append_fields": [{"name": "http.status", "type": "long"}, {"name": "user", "type": "keyword", "ignore_above": 64}]},
            "ilm": {"enabled": True, "policy_name": "keep", "policy_file": str(policy), "overwrite": True, "rollover_alias": "shop",
                    "pattern": "000001"},
        }  # fmt: skip
        code, lines, _ = self.agent_setup(setup_output(sink.url, setup))
        self.assertEqual((code, lines), (0, ["search: Elasticsearch 8.17.0", "  policy keep: replaced", "  template shop: replaced",
                                             "  alias shop: made"]))  # fmt: skip
        self.assertEqual(sink.store.policies["keep"], {"policy": json.loads(policy.read_text())})
        made = sink.store.templates["shop"]
        self.assertEqual((made["index_patterns"], made["priority"]), (["shop*"], 300))
        settings = {"index.lifecycle.name": "keep", "index.lifecycle.rollover_alias": "shop", "index.number_of_shards": "3",
                    "index.codec": "best_compression"}  # fmt: skip
        self.assertEqual(made["template"]["settings"], settings)
        mappings = made["template"]["mappings"]
        self.assertEqual(mappings["_source"], {"enabled": True})
        self.assertEqual(mappings["properties"]["http"]["properties"]["status"], {"type": "long"})
        self.assertEqual(mappings["properties"]["user"], {"type": "keyword", "ignore_above": 64})
        self.assertEqual(list(sink.store.indices), ["shop-000001"])
        # Once more: nothing is made twice.
        code, lines, _ = self.agent_setup(setup_output(sink.url, {**ALIAS, "template": {"name": "shop"}}))
        self.assertEqual((code, lines[1:]), (0, ["  policy shop: made", "  template shop: exists", "  alias shop: exists"]))

    def test_filebeats_spelling_is_understood(self):
        sink = self.bulk()
        made = setup_output(sink.url)
        made["elasticsearch"].update({"setup.ilm.enabled": True, "setup.ilm.rollover_alias": "filebeat",
                                      "setup.ilm.pattern": "{now/d}-000001", "setup.template.settings.index.number_of_replicas": 0})  # fmt: skip
        self.write("one")
        self.run_with(made)
        self.wait_count(sink, 1, "filebeat")
        self.assertEqual(list(sink.store.indices), [first_index("filebeat")])
        self.assertEqual(sink.store.templates["filebeat"]["template"]["settings"]["index.number_of_replicas"], "0")

    def test_opensearch_has_policies_of_its_own(self):
        sink = self.bulk(version="2.19.1", distribution="opensearch")
        self.write("one")
        self.run_with(setup_output(sink.url, {"ilm": {"enabled": True}}, data_stream=STREAM))
        self.wait_count(sink, 1, "logs-shop-prod")
        policy = sink.store.policies["logs-shop"]["policy"]
        self.assertEqual(policy["ism_template"], [{"index_patterns": ["logs-shop-*"], "priority": 200}])
        self.assertEqual(policy["states"][0]["actions"], [{"rollover": {"min_primary_shard_size": "50gb", "min_index_age": "30d"}}])
        made = sink.store.templates["logs-shop"]
        self.assertEqual((made["data_stream"], made["template"]["settings"]), ({}, {}))
        self.assertEqual(list(sink.store.streams), ["logs-shop-prod"])
        self.check_strict()

    def test_privileges_that_are_missing_stop_no_document(self):
        sink = self.bulk()
        sink.answer(lambda request: None if request.number is not None else refuse(403, "security_exception", "action is unauthorized"))
        self.write("one", "two")
        agent = self.run_with(setup_output(sink.url, {"template": {}}, index="plain"))
        self.wait_count(sink, 2, "plain")
        wait_until("it warns", lambda: "cannot be set up" in agent.log())
        self.assertIn("security_exception: action is unauthorized", agent.log())
        code, lines, _ = self.agent_setup(setup_output(sink.url, ALIAS))
        self.assertEqual(code, 1)
        self.assertEqual(lines[0], "search: Elasticsearch 8 (assumed)")
        self.assertEqual([line.split(":")[1] for line in lines[1:]], [" forbidden"] * 3)

    def test_version_skips_the_question(self):
        sink = self.bulk(version="2.19.1", distribution="opensearch")
        code, lines, _ = self.agent_setup(setup_output(sink.url, ALIAS, version="opensearch 1.3"))
        self.assertEqual((code, lines[0]), (0, "search: opensearch 1.3"))
        self.assertEqual([request.path for request in sink.requests if request.path == "/"], [])
        action = sink.store.policies["shop"]["policy"]["states"][0]["actions"][0]
        self.assertEqual(action, {"rollover": {"min_size": "50gb", "min_index_age": "30d"}})

    def test_documents_wait_for_a_receiver_that_is_down_and_make_no_plain_index(self):
        port = harness.free_port()
        self.write("one", "two")
        agent = self.run_with(setup_output(f"http://127.0.0.1:{port}", {"template": {}}, data_stream=STREAM))
        wait_until("it has tried", lambda: "not set up yet, will retry" in agent.log())
        self.assertNotIn("wait_ms=0", agent.log())
        sink = self.bulk(port=port)
        self.wait_count(sink, 2, "logs-shop-prod")
        self.assertEqual(list(sink.store.streams), ["logs-shop-prod"])
        self.assertTrue(all(name.startswith(".ds-") for name in sink.store.indices))
        self.assertEqual(agent.stop()[0], 0)

    def test_a_receiver_that_is_not_ready_is_asked_again(self):
        sink = self.bulk()
        busy = {"PUT": 2, "GET": 2}

        def script(request):
            if request.number is not None or not request.parts or busy[request.method] == 0:
                return None
            busy[request.method] -= 1
            return refuse(503, "master_not_discovered_exception")

        sink.answer(script)
        self.write("one")
        self.run_with(setup_output(sink.url, ALIAS))
        self.wait_count(sink, 1, "shop")
        self.assertEqual(busy, {"PUT": 0, "GET": 0})
        self.assertEqual(list(sink.store.indices), [first_index()])

    def test_an_answer_that_was_lost_makes_nothing_twice(self):
        sink = self.bulk()
        lost = set()

        def script(request):
            if request.method != "PUT" or request.path in lost:
                return None
            lost.add(request.path)
            answer_setup(sink, request)
            return Answer(status=200, body=b"{}", end="reset")

        sink.answer(script)
        self.write("one")
        self.run_with(setup_output(sink.url, ALIAS))
        self.wait_count(sink, 1, "shop")
        self.assertEqual(len(lost), 3)
        self.assertEqual(list(sink.store.indices), [first_index()])

    def test_several_agents_at_once_make_one_of_each(self):
        sink = self.bulk()
        for number in range(4):
            path = self.dir / f"{number}.log"
            self.write(f"line of {number}", path=path)
            config = self.config(setup_output(sink.url, ALIAS), [self.job(path=path)])
            config["positions"]["filename"] = str(self.dir / f"positions-{number}.yaml")
            self.start(config, name=f"agent-{number}")
        self.wait_count(sink, 4, "shop")
        self.assertEqual(list(sink.store.indices), [first_index()])
        self.assertEqual(sink.store.aliases, {"shop": {first_index(): True}})
        for agent in self.agents:
            self.assertNotIn("cannot be set up", agent.log())

    def test_the_tool_says_what_is_wrong_and_exits_with_it(self):
        sink, dead = self.bulk(), f"http://127.0.0.1:{harness.free_port()}"
        sink.store.create_index("shop")
        outputs = [setup_output(sink.url, ALIAS, "one"), setup_output(dead, ALIAS, "two"), setup_output(sink.url, None, "none")]
        code, lines, _ = self.agent_setup(outputs, "-output", "two")
        self.assertEqual((code, len(lines)), (1, 1))
        self.assertRegex(lines[0], r"^two: http://127.0.0.1:\d+ does not answer: ")
        code, lines, error = self.agent_setup(outputs, "--output=none")
        self.assertEqual((code, lines, error), (1, [], "there is no output 'none' with a `setup`: nothing to do\n"))
        code, lines, _ = self.agent_setup(outputs)
        self.assertEqual((code, lines[0].split(":")[0], lines[-1].split(":")[0]), (1, "one", "two"))
        code, _, error = self.agent_setup(outputs, "-outputs=x")
        self.assertEqual(code, 2)
        self.assertIn("flag provided but not defined: -outputs", error)


class NodeTest:
    """A real node for all tests of a product; each has its own names."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        place = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-node-"))
        cls.addClassCleanup(shutil.rmtree, place, ignore_errors=True)
        cls.node = Elasticsearch(place, cls.PRODUCT)
        cls.addClassCleanup(cls.node.stop)
        cls.node.start()

    def test_alias_template_and_documents(self):
        node = self.node
        self.write("one", "2024-05-01 looks like a date", "two")
        setup = {"template": {"settings": {"index.number_of_replicas": 0}, "append_fields": [{"name": "http.status", "type": "long"}]}, **ALIAS}
        agent = self.run_with(setup_output(node.url, setup))
        wait_until(lambda: f"3 documents, there are {node.count('shop')}", lambda: node.count("shop") == 3)
        self.assertEqual(node.get("/_alias/shop"), {first_index(): {"aliases": {"shop": {"is_write_index": True}}}})
        mappings = node.get("/shop/_mapping")[first_index()]["mappings"]
        self.assertIs(mappings["date_detection"], False)
        self.assertEqual(mappings["properties"]["message"]["type"], "text")
        self.assertEqual(mappings["properties"]["log"]["properties"]["offset"]["type"], "long")
        self.assertEqual(mappings["properties"]["http"]["properties"]["status"]["type"], "long")
        self.assertEqual(mappings["properties"]["labels"]["properties"]["job"], {"type": "keyword", "ignore_above": 1024})
        # The next index behind the alias is as this one.
        node.must("POST", "/shop/_rollover")
        self.write("three")
        wait_until("the fourth", lambda: node.count("shop") == 4)
        self.assertEqual(len(node.get("/_alias/shop")), 2)
        self.settled(agent)
        self.assertEqual(agent.stop()[0], 0)
        code, lines, _ = self.agent_setup(setup_output(node.url, setup))
        self.assertEqual((code, lines[2:]), (0, ["  template shop: exists", "  alias shop: exists"]))
        self.assertRegex(lines[0], self.NAME)
        # This build of it has no policies.
        self.assertIn("  policy shop: skipped: the receiver has no lifecycle policies", lines[1])

    def test_overwrite(self):
        node = self.node
        more = {"settings": {"index.codec": "best_compression"}, "priority": 500}
        self.assertEqual(self.agent_setup(setup_output(node.url, {"template": {}}, index="over"))[0], 0)
        code, lines, _ = self.agent_setup(setup_output(node.url, {"template": more}, index="over"))
        self.assertEqual((code, lines[1]), (0, "  template over: exists"))
        code, lines, _ = self.agent_setup(setup_output(node.url, {"template": {"overwrite": True, **more}}, index="over"))
        self.assertEqual((code, lines[1]), (0, "  template over: replaced"))
        made = node.get("/_index_template/over")["index_templates"][0]["index_template"]
        self.assertEqual((made["priority"], made["template"]["settings"]["index"]["codec"]), (500, "best_compression"))

    def test_conflicts_are_named_and_nothing_goes_astray(self):
        node = self.node
        node.put("/taken", {"mappings": {"dynamic": False}})
        made = setup_output(node.url, {"ilm": {"rollover_alias": "taken"}})
        code, lines, _ = self.agent_setup(made)
        self.assertEqual(code, 1)
        self.assertRegex(lines[3], r"alias taken: refused: 400 invalid_alias_name_exception: .*taken")
        code, lines, _ = self.agent_setup(setup_output(node.url, {"template": {"settings": {"index.number_of_shards": "many"}}}, index="bad"))
        self.assertEqual(code, 1)
        self.assertRegex(lines[1], r"template bad: refused: 400 .*many")
        # Documents do not go into the index that has the alias's name.
        self.write("one")
        agent = self.run_with(made)
        wait_until("it waits", lambda: "is not an alias" in agent.log())
        self.assertEqual(node.count("taken"), 0)

    def test_several_agents_at_once(self):
        node = self.node
        for number in range(3):
            path = self.dir / f"{number}.log"
            self.write(f"line of {number}", path=path)
            config = self.config(setup_output(node.url, {"ilm": {"rollover_alias": "crowd"}}), [self.job(path=path)])
            config["positions"]["filename"] = str(self.dir / f"positions-{number}.yaml")
            self.start(config, name=f"agent-{number}")
        wait_until(lambda: f"3, there are {node.count('crowd')}", lambda: node.count("crowd") == 3)
        self.assertEqual(list(node.get("/_alias/crowd")), [first_index("crowd")])
        for agent in self.agents:
            self.assertNotIn("cannot be set up", agent.log())


class OpenSearchTest(NodeTest, SetupCase):
    PRODUCT, NAME = "opensearch", r"^search: OpenSearch 2\.19"

    def test_a_data_stream(self):
        node = self.node
        self.write("one", "two")
        self.run_with(setup_output(node.url, {"template": {"settings": {"index.number_of_replicas": 0}}}, data_stream=STREAM))
        wait_until("both", lambda: node.count("logs-shop-prod") == 2)
        stream = node.get("/_data_stream/logs-shop-prod")["data_streams"][0]
        self.assertEqual((stream["template"], len(stream["indices"])), ("logs-shop", 1))
        node.must("POST", "/logs-shop-prod/_rollover")
        self.write("three")
        wait_until("the third", lambda: node.count("logs-shop-prod") == 3)


class ElasticsearchTest(NodeTest, SetupCase):
    PRODUCT, NAME = "elasticsearch", r"^search: Elasticsearch 7\.17"


if __name__ == "__main__":
    harness.main()
