#!/usr/bin/env python3
"""What the Elasticsearch output sends when all is well: documents, names of indices, fields and ids.
The other side refuses what the strictest server refuses."""

import datetime
import json
import re
import socket
import time
import unittest

import harness
from bulk_sink import refuse
from elasticsearch_bed import ElasticsearchCase, output

CONTROLS = bytes(range(0x20)).replace(b"\n", b"") + b'\x7f"\\/'
TIMED = [
    {"regex": {"expression": "^(?P<time>\\S+) "}},
    {"timestamp": {"source": "time", "format": "RFC3339Nano"}},
]


def label_of(name, expression="^(?P<value>.*)$"):
    """Stages that make a label of the line."""
    return [{"regex": {"expression": expression.replace("value", name)}}, {"labels": {name: None}}]


class DocumentTest(ElasticsearchCase):
    def test_a_document_says_where_when_and_what(self):
        sink = self.bulk()
        stages = [*TIMED, {"structured_metadata": {"trace_id": "time"}}, {"static_labels": {"app": "shop", "level": "WARN"}}]
        self.run_with(output(sink.url), [self.job(stages)])
        self.write("first", "2024-05-01T10:00:00.123456789Z hello")
        documents = self.wait_count(sink, 2)
        document = next(each for each in documents if "hello" in each["message"])
        self.assertEqual(document["@timestamp"], "2024-05-01T10:00:00.123456789Z")
        self.assertEqual(document["message"], "2024-05-01T10:00:00.123456789Z hello")
        self.assertEqual(document["log"]["offset"], len("first\n"))
        self.assertEqual(document["log"]["file"]["path"], str(self.log_file))
        self.assertEqual(document["log"]["level"], "warn")
        self.assertEqual(document["host"]["name"], socket.gethostname())
        self.assertEqual(document["agent"]["type"], "log-agent")
        self.assertRegex(document["agent"]["version"], r"^\d+\.")
        self.assertIn("version", document["ecs"])
        self.assertEqual(document["trace"]["id"], "2024-05-01T10:00:00.123456789Z")
        labels = {"job": "test", "app": "shop", "level": "WARN", "filename": str(self.log_file)}
        self.assertEqual(document["labels"], labels)
        self.check_strict()

    def test_the_time_of_a_line_without_one_is_that_of_reading(self):
        sink = self.bulk()
        self.run_with(output(sink.url))
        before = time.time()
        self.write("now")
        told = self.wait_count(sink, 1)[0]["@timestamp"]
        self.assertRegex(told, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
        at = datetime.datetime.fromisoformat(told.rstrip("Z")[:26]).replace(tzinfo=datetime.timezone.utc).timestamp()
        self.assertTrue(before - 0.01 <= at <= time.time(), f"{before} {at}")

    def test_times_at_the_edges(self):
        sink = self.bulk()
        times = ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "2024-02-29T23:59:59.000000001Z",
                 "2024-03-01T01:30:00.5+02:00", "2100-01-01T00:00:00.100Z"]  # fmt: skip
        self.run_with(output(sink.url), [self.job([*TIMED])])
        self.write(*[f"{each} x" for each in times])
        told = {each["message"][:-2]: each["@timestamp"] for each in self.wait_count(sink, len(times))}

        def parts(text):
            head, _, rest = text.rstrip("Z").partition(".")
            return head, rest.ljust(9, "0")

        for each, want in zip(times, [*times[:3], "2024-02-29T23:30:00.5Z", times[4]]):
            self.assertEqual(parts(told[each]), parts(want))
        self.check_strict()

    def test_every_byte_arrives_as_text(self):
        sink = self.bulk()
        self.run_with(output(sink.url))
        lines = [b"plain", b"nul \0 nul", CONTROLS, "ü€😀\u2028\u2029".encode(), b"\xff\xfe \xc3( \xe2\x82 \xed\xa0\x80 \xf5",
                 b"\xc3", b"", b"  ", b'{"json": "stays text"}', b"\xef\xbb\xbfbom", b"cr\r"]  # fmt: skip
        self.write(*lines)
        told = [each["message"] for each in self.wait_count(sink, len(lines))]
        self.check_strict()
        self.assertEqual(told[:4], [b"plain".decode(), "nul \0 nul", CONTROLS.decode(), "ü€😀\u2028\u2029"])
        self.assertRegex(told[4], "^\ufffd{2} \ufffd\\( \ufffd{1,2} \ufffd{1,3} \ufffd$")
        self.assertEqual(told[5:9], ["\ufffd", "", "  ", '{"json": "stays text"}'])
        self.assertIn(told[9], ["\ufeffbom", "bom"])
        self.assertIn(told[10], ["cr\r", "cr"])

    def test_a_line_of_5_mib_travels(self):
        sink = self.bulk()
        agent = self.run_with(output(sink.url))
        lines = ["small", "x" * (5 << 20), 'q"' * (1 << 20), "after"]
        self.write(*lines)
        told = [each["message"] for each in self.wait_count(sink, len(lines), timeout=30)]
        self.assertEqual([len(each) for each in told], [len(each) for each in lines])
        self.assertEqual(told, lines)
        self.settled(agent)
        self.check_strict()

    def test_a_request_is_bounded_by_bytes_and_documents(self):
        sink = self.bulk()
        self.write(*[f"line {n} {'x' * 300}" for n in range(500)])
        self.run_with(output(sink.url, batch_max_entries=40, batch_max_size="8KiB", batch_wait="1s"))
        self.wait_count(sink, 500)
        for request in sink.bulks():
            self.assertLessEqual(len(request.items), 40)
            self.assertLessEqual(len(request.body), 8 << 10)
        self.check_strict()

    def test_requests_are_compressed_and_answers_may_be(self):
        sink = self.bulk()
        self.run_with(output(sink.url))
        self.write("x")
        self.wait_count(sink, 1)
        (request,) = sink.bulks()
        self.assertEqual(request.headers["content-encoding"], "gzip")
        self.assertEqual(request.headers["content-type"], "application/x-ndjson")
        self.assertIn("gzip", request.headers.get("accept-encoding", ""))
        self.assertIn("items.*.status", request.query["filter_path"])

    def test_compression_can_be_off_and_stronger(self):
        for level in (0, 6):
            with self.subTest(level=level):
                sink = self.bulk()
                self.log_file.write_bytes(b"")
                agent = self.start(self.config(output(sink.url, compression_level=level)), name=f"agent{level}").wait_ready()
                self.write(f"level {level}")
                self.wait_count(sink, 1)
                self.assertEqual(sink.bulks()[0].headers.get("content-encoding", ""), "gzip" if level else "")
                agent.stop()

    def test_opensearch_and_a_prefix(self):
        sink = self.bulk(version="2.19.0", distribution="opensearch", prefix="/search/here")
        self.run_with(output(sink.url))
        self.write("x")
        self.wait_count(sink, 1)
        self.check_strict()


    def test_a_pipeline_is_named_as_it_is_called(self):
        sink = self.bulk()
        sink.store.pipelines["clean & shop"] = {}
        agent = self.run_with(output(sink.url, pipeline="clean & shop"))
        self.write("x")
        self.settled(agent)
        self.assertEqual(sink.bulks()[0].query["pipeline"], "clean & shop")
        self.assertEqual(sink.count(), 1)
        self.check_strict()


class FieldTest(ElasticsearchCase):
    def document(self, line, document, stages, count=1, **more):
        sink = self.bulk()
        self.run_with(output(sink.url, document=document, **more), [self.job(stages)])
        self.write(*([line] if isinstance(line, str) else line))
        sources = self.wait_count(sink, count)
        self.check_strict()
        return sources[0] if count == 1 else sources

    JSON = [{"json": {"expressions": {"n": "n", "f": "f", "b": "b", "s": "s", "big": "big"}}}]

    def test_extracted_fields_have_their_types(self):
        line = json.dumps({"n": "42", "f": 3, "b": "true", "s": 7, "big": 9223372036854775808})
        fields = ["n:int", "f:float", "b:bool", "s:string", "big:int"]
        found = self.document(line, {"fields": fields, "fields_target": "data"}, self.JSON)["data"]
        self.assertEqual(found["n"], 42)
        self.assertIs(type(found["f"]), float)
        self.assertEqual(found["f"], 3.0)
        self.assertIs(found["b"], True)
        self.assertEqual(found["s"], "7")
        self.assertEqual(found["big"], "9223372036854775808")

    def test_what_does_not_fit_its_type_never_makes_a_bad_document(self):
        lines = [json.dumps({"n": n, "f": f, "b": b}) for n, f, b in (
            ("abc", "NaN", "maybe"), ("", "Infinity", ""), ("1.5", "-inf", "TRUE"), ("0x10", "1e999", 1), (None, None, None))]  # fmt: skip
        self.document(lines, {"fields": ["n:int", "f:float", "b:bool"]}, self.JSON, count=5)

    def test_a_scalar_and_an_object_of_one_name(self):
        stages = [{"json": {"expressions": {"a": "a", "a.b": '"a.b"'}}}]
        found = self.document('{"a":"1","a.b":"2"}', {"fields": ["*"], "fields_target": "d"}, stages)["d"]
        self.assertEqual(found["a"], {"value": "1", "b": "2"})

    def test_empty_parts_of_names_are_filled(self):
        names = ["x..y", "end.", ".begin", "."]
        stages = [{"json": {"expressions": {name: json.dumps(name) for name in names}}}]
        found = self.document(json.dumps({name: name for name in names}), {"fields": names, "fields_target": "d"}, stages)

        def check(node):
            for name, value in node.items():
                self.assertNotIn(name, ("", "."))
                self.assertNotIn("..", name)
                if isinstance(value, dict):
                    check(value)

        check(found)
        # All of them are there, and where they belong.
        for name in names:
            self.assertIn(json.dumps(name), json.dumps(found["d"]))

    def test_fields_cannot_clash_with_what_is_always_there(self):
        names = ["message", "@timestamp", "log", "labels", "host", "agent"]
        stages = [{"json": {"expressions": {f'"{name}"' if name[0] == "@" else name: f'"{name}"' for name in names}}}]
        found = self.document(json.dumps({name: "mine" for name in names}), {"fields": ["*"]}, stages)
        self.assertRegex(found["@timestamp"], r"^2\d{3}-")
        self.assertIsInstance(found["log"], dict)
        self.assertEqual(found["log"]["offset"], 0)
        self.assertEqual(found["labels"]["job"], "test")

    def test_dots_of_names_are_replaced_and_the_layout_stays(self):
        stages = [{"json": {"expressions": {"a.b": '"a.b"'}}}]
        found = self.document('{"a.b":"1"}', {"de_dot": "_", "fields": ["a.b"]}, stages)
        self.assertEqual(found["a_b"], "1")
        self.assertEqual(found["log"]["offset"], 0)
        self.assertEqual(found["labels"]["job"], "test")

    def test_metadata_stands_under_its_target(self):
        stages = [{"json": {"expressions": {"user": None, "n": None}}}, {"structured_metadata": {"user": None, "n": None}}]
        found = self.document('{"user":"u1","n":5}', {"metadata_target": "meta"}, stages)
        self.assertEqual(found["meta"], {"user": "u1", "n": "5"})

    def test_tags_added_removed_and_renamed(self):
        options = {"tags": ["a", "b"], "add": {"env.name": "prod"}, "remove": ["ecs", "agent.version"], "rename": {"message": "body.text"}}
        found = self.document("x", options, [])
        self.assertEqual(found["tags"], ["a", "b"])
        self.assertEqual(found["env"]["name"], "prod")
        self.assertEqual(found["body"]["text"], "x")
        self.assertNotIn("message", found)
        self.assertNotIn("ecs", found)
        self.assertEqual(set(found["agent"]), {"type"})

    def test_flat_layout(self):
        found = self.document("x", {"layout": "flat"}, [{"static_labels": {"app": "shop"}}])
        self.assertEqual((found["app"], found["job"], found["message"]), ("shop", "test", "x"))

    def test_raw_layout_sends_the_object_itself(self):
        lines = ['{"a":{"b":[1,2.5,null]},"s":"ü\\u0000"}', "no json", '{"n":NaN}', "[1]", '{"broken":', "{} trailing",
                 '{"@timestamp":"2020-01-01T00:00:00Z","k":1}', "{}", ' { "sp" : [ 1 , 2 ] } ', '{"big":9007199254740993}']  # fmt: skip
        found = self.document(lines, {"layout": "raw"}, [], count=len(lines))
        self.assertEqual((found[0]["a"], found[0]["s"]), ({"b": [1, 2.5, None]}, "ü\0"))
        for at in (1, 2, 3, 4, 5):
            self.assertEqual(found[at]["message"], lines[at])
        self.assertEqual(found[6], {"@timestamp": "2020-01-01T00:00:00Z", "k": 1})
        self.assertEqual(set(found[7]), {"@timestamp"})
        self.assertEqual(found[8]["sp"], [1, 2])
        self.assertTrue(all("@timestamp" in each for each in found))

    def test_raw_layout_of_what_is_no_text(self):
        lines = [b'{"a":"\xff"}', b'{"a":"\xc3"}', b'{"a\xe2\x82":1}', b'{"a":"\\ud800"}', b'{"a":"\0"}', b'{"a":' * 2000 + b"1" + b"}" * 2000]
        self.document(lines, {"layout": "raw"}, [], count=len(lines))

    def test_raw_layout_of_an_object_over_several_lines(self):
        stages = [{"multiline": {"firstline": "^{", "max_wait_time": "200ms"}}]
        found = self.document('{\n "a": 1,\n "b": "x"\n}', {"layout": "raw"}, stages)
        self.assertEqual((found["a"], found["b"]), (1, "x"))

    def test_a_long_message_is_cut_at_a_character(self):
        found = self.document("ü" * 600, {"max_message_size": "1001B"}, [])
        self.assertTrue(set(found["message"].rstrip(".…")) <= {"ü"}, found["message"][-20:])
        self.assertLessEqual(len(found["message"].encode()), 1001)


class IndexTest(ElasticsearchCase):
    def names(self, lines, stages, count=None, timeout_of_test=15, **more):
        sink = self.bulk()
        agent = self.run_with(output(sink.url, **more), [self.job(stages)])
        self.write(*lines)
        self.wait_count(sink, len(lines) if count is None else count, timeout=timeout_of_test)
        self.settled(agent)
        self.check_strict()
        return {each["_source"]["message"]: each["_index"] for each in sink.documents()}

    def test_the_date_is_that_of_the_event_in_utc(self):
        lines = {"2024-05-01T23:59:59.999999999Z a": "logs-2024.05.01", "2024-05-02T00:00:00Z b": "logs-2024.05.02",
                 "2024-05-02T01:00:00+02:00 c": "logs-2024.05.01", "2023-12-31T23:00:00-02:00 d": "logs-2024.01.01"}  # fmt: skip
        self.assertEqual(self.names(lines, TIMED, index="logs-%{+YYYY.MM.dd}"), lines)

    def test_other_letters_of_dates(self):
        lines = {"2021-01-03T04:05:06Z x": "w2020.53-y2021-h04-m05-s06"}
        self.assertEqual(self.names(lines, TIMED, index="w%{+xxxx.ww}-y%{+yyyy}-h%{+HH}-m%{+mm}-s%{+ss}"), lines)

    def test_a_retry_over_midnight_keeps_index_and_id(self):
        sink = self.bulk()
        sink.answer(lambda request: refuse(503) if request.number is not None and request.number < 3 else None)
        self.run_with(output(sink.url, index="logs-%{+yyyy.MM.dd}"), [self.job(TIMED)])
        self.write("2024-05-01T23:59:59.9Z x")
        self.wait_count(sink, 1)
        told = {(item.index, item.id) for request in sink.bulks() for item in request.items}
        self.assertEqual({index for index, _ in told}, {"logs-2024.05.01"})
        self.assertEqual(len(told), 1)

    def test_labels_in_names_are_made_fit(self):
        lines = {"Shop": "l-shop", "a b": "l-a_b", "A/B\\C*D?E": "l-a_b_c_d_e", 'q"<>|,#:': "l-q_______", "..": "l-.."}
        found = self.names(lines, label_of("app"), index="l-%{[labels.app]}")
        self.assertEqual(found, lines)

    def test_letters_beyond_ascii_are_made_small(self):
        self.assertEqual(self.names(["ÜBER"], label_of("app"), index="l-%{[app]}", timeout_of_test=3), {"ÜBER": "l-über"})

    def test_a_name_cannot_begin_wrongly_or_be_too_long(self):
        lines = ["-dash", "_under", "+plus", ".", "..", "x" * 300, "ü" * 200]
        found = self.names(lines, label_of("app"), index="%{[app]}")
        self.assertEqual(len(found), len(lines))

    def test_a_missing_value_takes_the_default(self):
        lines = ["app=web", "nothing"]
        found = self.names(lines, label_of("app", "app=(?P<value>.*)"), index="l-%{[labels][app]:Unknown}")
        self.assertEqual(found, {"app=web": "l-web", "nothing": "l-unknown"})

    def test_a_missing_value_takes_the_fallback(self):
        lines = ["app=web", "nothing"]
        found = self.names(lines, label_of("app", "app=(?P<value>.*)"), index="l-%{[labels.app]}", index_fallback="lost")
        self.assertEqual(found, {"app=web": "l-web", "nothing": "lost"})

    def test_a_missing_value_without_fallback_is_a_dead_letter(self):
        lines = ["app=web", "nothing", "app=end"]
        found = self.names(lines, label_of("app", "app=(?P<value>.*)"), count=2, index="l-%{[labels.app]}")
        self.assertEqual(found, {"app=web": "l-web", "app=end": "l-end"})
        (letter,) = self.wait_dead(1)
        self.assertIn("nothing", json.dumps(letter))
        self.assertEqual(letter["offset"], len("app=web\n"))

    def test_the_first_rule_that_fits_chooses(self):
        rules = [{"index": "errors-%{+yyyy}", "when": {"contains": {"message": "ERR"}}}, {"index": "shop", "when": {"equals": {"labels.app": "app=shop"}}}]
        lines = {"2024-01-01T00:00:00Z ERR": "errors-2024", "2024-01-01T00:00:00Z fine": "other"}
        stages = [*TIMED, {"static_labels": {"app": "app=web"}}]
        self.assertEqual(self.names(lines, stages, index="other", indices=rules), lines)

    def test_a_rule_by_label(self):
        rules = [{"index": "special-%{[app]}", "when": {"equals": {"labels.app": "shop"}}}]
        found = self.names(["shop", "shopping"], label_of("app"), index="other", indices=rules)
        self.assertEqual(found, {"shop": "special-shop", "shopping": "other"})

    def test_the_fallback_is_made_fit_as_well(self):
        found = self.names(["x"], [], index="l-%{[labels.none]}", index_fallback="Lost Ones")
        self.assertEqual(found, {"x": "lost_ones"})

    def test_too_many_names_go_to_the_fallback(self):
        lines = [f"n{n}" for n in range(20)]
        found = self.names(lines, label_of("app"), index="l-%{[app]}", index_fallback="many", max_indices_per_hour=5)
        names = set(found.values())
        self.assertIn("many", names)
        self.assertLessEqual(len(names), 6)

    def test_a_name_that_cannot_be_read_is_an_error_of_the_configuration(self):
        for wrong in ({"index": "l-%{"}, {"indices": [{"index": "%{[x", "when": {"equals": {"x": "1"}}}]}, {"data_stream": {"dataset": "%{x"}}):
            with self.subTest(wrong):
                wanted = output("http://127.0.0.1:9", **wrong)
                if "data_stream" in wrong:
                    del wanted["elasticsearch"]["index"]
                for args in (["-check-syntax"], ["-dry-run"]):
                    result = harness.run_agent(self.dir, args, self.config(wanted), timeout=10)
                    self.assertEqual(result.returncode, 1, result.stderr[-1000:])
                    self.assertIn(b"config.yaml:", result.stdout + result.stderr)

    def test_data_stream(self):
        sink = self.bulk(data_streams=["logs-*-*"])
        more = {"data_stream": {"dataset": "shop", "namespace": "prod"}}
        wanted = output(sink.url, **more)
        del wanted["elasticsearch"]["index"]
        self.run_with(wanted)
        self.write("a", "b")
        found = self.wait_count(sink, 2, "logs-shop-prod")
        self.assertEqual(found[0]["data_stream"], {"type": "logs", "dataset": "shop", "namespace": "prod"})
        self.assertEqual({item.action for request in sink.bulks() for item in request.items}, {"create"})
        self.check_strict()


class IdTest(ElasticsearchCase):
    def test_every_line_has_an_id_of_its_own(self):
        sink = self.bulk()
        other = self.dir / "other.log"
        self.write(*["same"] * 300)
        self.write(*["same"] * 300, path=other)
        self.run_with(output(sink.url), [self.job(), self.job(name="second", path=other)])
        self.wait_count(sink, 600)
        ids = [item.id for request in sink.bulks() for item in request.items]
        self.assertEqual(len(set(ids)), 600)
        self.assertTrue(all(re.fullmatch(r"[A-Za-z0-9_-]{20,22}", each) for each in ids), ids[0])
        self.assertEqual({item.action for request in sink.bulks() for item in request.items}, {"create"})

    def test_without_ids_the_server_makes_them(self):
        sink = self.bulk()
        self.run_with(output(sink.url, id_mode="none"))
        self.write("a", "b")
        self.wait_count(sink, 2)
        self.assertEqual({item.id for request in sink.bulks() for item in request.items}, {None})
        self.check_strict()

    def test_two_streams_of_one_line_of_two_jobs_differ(self):
        sink = self.bulk()
        self.write("x")
        self.run_with(output(sink.url), [self.job(), self.job(name="second")])
        documents = self.wait_count(sink, 2)
        self.assertEqual({each["labels"]["job"] for each in documents}, {"test", "second"})


if __name__ == "__main__":
    harness.main()
