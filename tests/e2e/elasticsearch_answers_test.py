#!/usr/bin/env python3
"""The Elasticsearch output before servers that refuse, stall, lie and vanish: no document is lost, none is
stored twice, and what is refused for its own sake is in the dead letter file."""

import unittest

import harness
from bulk_sink import Answer, item_error, refuse
from elasticsearch_bed import ElasticsearchCase, output, sample
from harness import free_port, wait_until


def bulk_only(script):
    """As `script`, for bulk requests alone."""
    return lambda request: script(request) if request.number is not None else None


def first(times, answer):
    """The first bulk requests get that answer."""
    return bulk_only(lambda request: answer if request.number < times else None)


class AnswerCase(ElasticsearchCase):
    def shipped(self, agent, sink, lines, index="*"):
        """All of them came, each once, and nothing is left."""
        self.wait_count(sink, len(lines), index)
        self.settled(agent)
        self.assertEqual(sorted(each["message"] for each in sink.sources(index)), sorted(lines))
        self.check_strict()

    def survives(self, script, lines=None, sink=None, items=None, **more):
        """A server that answers so by `script`, and then well, has all lines once. Gives agent and sink."""
        sink = sink or self.bulk()
        lines = lines or [f"line {n}" for n in range(20)]
        self.write(*lines)
        sink.answer(script)
        if items:
            sink.answer_items(items)
        agent = self.run_with(output(sink.url, **more))
        self.shipped(agent, sink, lines)
        self.assertEqual(self.dead_letters(), [])
        return agent, sink


class WholeRequestTest(AnswerCase):
    def test_refusals_that_pass(self):
        for status in (408, 429, 500, 502, 503, 504, 507):
            with self.subTest(status=status):
                self.log_file.write_bytes(b"")
                self.tearDownAgents()
                agent, sink = self.survives(first(3, refuse(status)))
                self.assertGreaterEqual(sample(agent, "failed_requests_total"), 3)
                self.assertGreaterEqual(sample(agent, "retried_entries_total"), 3)
                self.assertEqual(len(sink.bulks()), 4)

    def tearDownAgents(self):
        for agent in self.agents:
            agent.stop()
        self.agents.clear()
        for path in self.dir.glob("positions*"):
            path.unlink()

    def test_the_same_bytes_are_sent_again(self):
        _, sink = self.survives(first(2, refuse(503)))
        self.assertEqual(len({request.body for request in sink.bulks()}), 1)

    def test_retry_after_is_respected(self):
        _, sink = self.survives(first(1, refuse(429, Retry_After="2")))
        begin, end = (request.time for request in sink.bulks())
        self.assertGreaterEqual(end - begin, 1.99)
        self.assertLess(end - begin, 4)

    def test_retry_after_of_a_proxy_is_respected(self):
        _, sink = self.survives(first(1, refuse(503, Retry_After="1")))
        begin, end = (request.time for request in sink.bulks())
        self.assertGreaterEqual(end - begin, 0.99)

    def test_what_was_accepted_is_counted_once(self):
        agent, sink = self.survives(lambda request: None, [f"line {n} " + "x" * 300 for n in range(64)], self.bulk(max_bytes=6000))
        taken = sum(request.wire_bytes for request in sink.bulks() if request.status == 200)
        self.assertEqual(sample(agent, "sent_bytes_total"), taken)
        self.assertEqual(sample(agent, "sent_entries_total"), 64)

    def test_backoff_grows_to_its_limit(self):
        _, sink = self.survives(first(6, refuse(503)))
        times = [request.time for request in sink.bulks()]
        pauses = [after - before for before, after in zip(times, times[1:])]
        self.assertTrue(all(0.02 <= pause <= 1.0 for pause in pauses), pauses)
        self.assertGreater(sum(pauses), 0.5)

    def test_413_halves(self):
        sink = self.bulk(max_bytes=6000)
        _, sink = self.survives(lambda request: None, [f"line {n} " + "x" * 300 for n in range(64)], sink)
        self.assertGreater(len(sink.bulks()), 3)

    def test_413_of_one_document_is_a_dead_letter(self):
        sink = self.bulk(max_bytes=6000)
        lines = ["a", "b", "huge " + "x" * 10000, "c"]
        self.write(*lines)
        agent = self.run_with(output(sink.url))
        self.wait_count(sink, 3)
        self.settled(agent)
        self.assertEqual([each["message"] for each in sink.sources()], ["a", "b", "c"])
        (letter,) = self.dead_letters()
        self.assertEqual(letter["document"]["message"], lines[2])
        self.assertEqual((letter["status"], letter["offset"], letter["index"]), (413, 4, "logs"))
        self.assertEqual(letter["source"], str(self.log_file))

    def test_a_ceiling_that_was_found_is_kept(self):
        sink = self.bulk(max_bytes=6000)
        agent = self.run_with(output(sink.url))
        refused = []
        for turn in range(4):
            before = len(sink.bulks())
            self.write(*[f"line {turn} {n} " + "x" * 300 for n in range(40)])
            self.wait_count(sink, 40 * (turn + 1))
            self.settled(agent)
            refused.append(sum(request.status == 413 for request in sink.bulks()[before:]))
        # Halved again and again at first; then made small enough.
        self.assertGreaterEqual(refused[0], 3)
        self.assertLessEqual(refused[-1], 1, refused)

    def test_400_finds_the_document_at_fault(self):
        sink = self.bulk()
        poisoned = bulk_only(
            lambda request: refuse(400, "parse_exception", "poison") if b"poison" in request.body else None
        )
        sink.answer(poisoned)
        lines = [f"line {n}" for n in range(30)]
        self.write(*lines[:17], "poison", *lines[17:])
        agent = self.run_with(output(sink.url))
        self.wait_count(sink, 30)
        self.settled(agent)
        self.assertEqual(sorted(each["message"] for each in sink.sources()), sorted(lines))
        (letter,) = self.dead_letters()
        self.assertEqual(letter["document"]["message"], "poison")
        self.assertIn("poison", letter["reason"])
        self.assertEqual(letter["status"], 400)
        self.assertEqual(letter["offset"], sum(len(line) + 1 for line in lines[:17]))

    def test_400_of_something_that_is_no_elasticsearch_is_not_the_documents_fault(self):
        """As a proxy says it that was spoken to in the wrong way."""
        page = b"<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>"
        sink = self.bulk()
        sink.answer(lambda request: Answer(400, page, {"Content-Type": "text/html"}, False))
        self.write(*[f"line {n}" for n in range(8)])
        agent = self.run_with(output(sink.url))
        wait_until("it was told", lambda: sink.bulks())
        wait_until("it holds", lambda: sample(agent, "state", state="holding") == 1, timeout=5)
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(agent.metrics().sum("agent_ledger_dropped_bytes_total"), 0)

    def test_gzip_is_left_when_it_is_refused(self):
        for status in (415, 406):
            with self.subTest(status=status):
                self.log_file.write_bytes(b"")
                self.tearDownAgents()
                refused = bulk_only(lambda request, status=status: refuse(status) if "content-encoding" in request.headers else None)
                _, sink = self.survives(refused)
                self.assertNotIn("content-encoding", sink.bulks()[-1].headers)

    def test_gzip_is_left_for_a_server_without_it(self):
        self.survives(lambda request: None, sink=self.bulk(accept_gzip=False))


class HeldTest(AnswerCase):
    def held(self, answer):
        """Nothing is lost and the server is left in peace, until it takes documents again."""
        sink = self.bulk()
        sink.answer(lambda request: answer)
        self.write("kept")
        agent = self.run_with(output(sink.url))
        wait_until("it holds", lambda: sample(agent, "state", state="holding") == 1)
        agent.runs_for(1)
        self.assertLessEqual(len(sink.bulks()), 2)
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(agent.metrics().sum("agent_ledger_settled_bytes_total"), 0)
        code, took = agent.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 8)
        sink.answer(lambda request: None)
        agent = self.run_with(output(sink.url))
        self.shipped(agent, sink, ["kept"])

    def test_401(self):
        self.held(refuse(401, "security_exception"))

    def test_403(self):
        self.held(refuse(403, "security_exception"))

    def test_404(self):
        self.held(refuse(404))

    def test_405(self):
        self.held(refuse(405))

    def test_406_without_gzip(self):
        self.held(refuse(406))

    def test_a_redirect_is_not_followed(self):
        other = self.bulk()
        self.held(Answer(307, b"", {"Location": other.url + "/_bulk"}, False))
        self.assertEqual(other.requests, [])

    def test_301_is_no_success(self):
        self.held(Answer(301, b"moved", {"Location": "http://127.0.0.1:9/"}, False))

    def test_a_block_of_the_cluster_passes(self):
        """The one test that waits for the pause of half a minute."""
        sink = self.bulk()
        blocked = {"403": item_error(403, "cluster_block_exception"), "429": item_error(429, "cluster_block_exception")}
        sink.answer_items(lambda item: blocked.get(item.document["message"]) if len(sink.bulks()) < 2 else None)
        agent = self.run_with(output(sink.url))
        self.write("403", "fine", "429")
        self.wait_count(sink, 1)
        self.wait_count(sink, 3, timeout=75)
        self.settled(agent)
        self.assertEqual(self.dead_letters(), [])
        self.check_strict()


class ItemTest(AnswerCase):
    def test_only_what_was_refused_is_sent_again(self):
        sink = self.bulk()
        refused = set()

        def items(item):
            number = int(item.document["message"].split()[1])
            if number % 3 == 0 and item.id not in refused:
                refused.add(item.id)
                return item_error(429 if number % 2 else 503)
            return None

        agent, _ = self.survives(lambda request: None, sink=sink, items=items)
        self.assertEqual([len(request.items) for request in sink.bulks()], [20, 7])
        self.assertEqual(sample(agent, "retried_entries_total"), 7)
        self.assertEqual(sample(agent, "sent_entries_total"), 20)

    def test_a_429_among_good_ones_slows_down(self):
        sink = self.bulk()
        items = lambda item: item_error(429) if item.document["message"] == "line 3" and len(sink.bulks()) < 4 else None  # noqa: E731
        self.survives(lambda request: None, sink=sink, items=items)
        times = [request.time for request in sink.bulks()]
        self.assertTrue(all(after - before >= 0.02 for before, after in zip(times, times[1:])), times)

    def refused(self, error, *want):
        sink = self.bulk()
        sink.answer_items(lambda item: error if item.document["message"] == "bad" else None)
        self.write("good", "bad", "better")
        agent = self.run_with(output(sink.url))
        self.wait_count(sink, 2)
        self.settled(agent)
        self.assertEqual([each["message"] for each in sink.sources()], ["good", "better"])
        (letter,) = self.dead_letters()
        self.assertEqual(letter["document"]["message"], "bad")
        self.assertEqual((letter["index"], letter["offset"], letter["output"]), ("logs", 5, "search"))
        self.assertEqual(letter["source"], str(self.log_file))
        self.assertEqual(letter["job"], "test")
        self.assertEqual(letter["id"], next(i.id for r in sink.bulks() for i in r.items if i.document["message"] == "bad"))
        self.assertRegex(letter["time"], r"^2\d{3}-\d\d-\d\dT")
        self.assertEqual(letter["status"], error.status)
        for each in want:
            self.assertIn(each, letter["reason"])
        self.assertEqual(sample(agent, "refused_entries_total"), 1)
        self.assertEqual(agent.metrics().sum("agent_dead_letter_entries_total", output="search"), 1)

    def test_400_is_a_dead_letter(self):
        self.refused(item_error(400), "mapper_parsing_exception", "failed to parse field [x] of type [long]")

    def test_a_field_whose_name_ends_like_that_of_the_id(self):
        reason = "failed to parse field [user_id] of type [long] in document with id 'x'. Preview of field's value: 'abc'"
        sink = self.bulk()
        sink.answer_items(lambda item: item_error(400, None, reason))
        self.write("bad")
        agent = self.run_with(output(sink.url))
        (letter,) = self.wait_dead(1, timeout=5)
        self.assertIn(reason, letter["reason"])
        self.settled(agent)

    def test_a_field_called_like_the_id(self):
        reason = "Field [_id] is a metadata field and cannot be added inside a document. Use the index API request parameters."
        sink = self.bulk()
        sink.answer_items(lambda item: item_error(400, None, reason))
        self.write("bad")
        agent = self.run_with(output(sink.url))
        self.wait_dead(1, timeout=5)
        self.settled(agent)

    def test_an_index_that_takes_no_ids_of_ours_is_not_the_documents_fault(self):
        reason = "_id must be unset or set to [abc] but was [xyz] because [logs] is in time_series mode"
        sink = self.bulk()
        sink.answer_items(lambda item: item_error(400, "document_parsing_exception", reason))
        self.write("a", "b")
        agent = self.run_with(output(sink.url))
        wait_until("it holds", lambda: sample(agent, "state", state="holding") == 1)
        self.assertEqual(self.dead_letters(), [])
        self.assertIn("id_mode", agent.log())

    def test_403_of_a_privilege_is_a_dead_letter(self):
        self.refused(item_error(403, "security_exception", "action is unauthorized"), "unauthorized")

    def test_another_4xx_is_a_dead_letter(self):
        self.refused(item_error(422))

    def test_a_reason_of_any_bytes_is_kept(self):
        self.refused(item_error(400, "odd", 'a "quoted" \\ ü \n line \0 end'), "quoted")

    def test_real_mapping_conflicts(self):
        sink = self.bulk()
        stages = [{"json": {"expressions": {"v": "v"}}}]
        agent = self.run_with(output(sink.url, document={"fields": ["v:int"]}), [self.job(stages)])
        self.write('{"v":1}')
        self.wait_count(sink, 1)
        self.write('{"v":"text"}', '{"v":2}')
        wait_until("all are judged", lambda: sink.count() + len(self.dead_letters()) == 3)
        self.settled(agent)
        self.check_strict()

    def test_404_of_an_index_waits(self):
        sink = self.bulk(auto_create=False)
        self.write("x")
        agent = self.run_with(output(sink.url))
        wait_until("it was refused", lambda: len(sink.bulks()) > 0)
        agent.runs_for(0.5)
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(agent.metrics().sum("agent_ledger_settled_bytes_total"), 0)

    def test_a_document_that_never_gets_in_gives_way(self):
        sink = self.bulk()
        sink.answer_items(lambda item: item_error(503) if item.document["message"] == "never" else None)
        self.write("never", "b")
        agent = self.run_with(output(sink.url, max_item_retry_age="500ms", workers=2))

        def gave_way():
            self.write("another")  # Others pass: it is that document's own fault.
            return self.dead_letters()

        (letter,) = wait_until("it gives way", gave_way, pause=0.1)
        self.assertEqual(letter["document"]["message"], "never")
        self.settled(agent)


    def test_a_request_that_always_fails_does_not_stop_the_others(self):
        sink = self.bulk()
        sink.answer(bulk_only(lambda request: refuse(503) if b"poison" in request.body else None))
        self.write("poison")
        agent = self.run_with(output(sink.url))
        wait_until("it fails", lambda: sample(agent, "failed_requests_total") >= 2)
        self.write("b")
        self.wait_count(sink, 1, timeout=4)
        (letter,) = self.wait_dead(1)
        self.assertEqual(letter["document"]["message"], "poison")


class LostAnswerTest(AnswerCase):
    def lost(self, answer, duplicates=20, times=1, **more):
        agent, sink = self.survives(first(times, answer), **more)
        self.assertEqual(sample(agent, "duplicate_entries_total"), duplicates)
        return agent, sink

    def test_reset_after_it_was_stored(self):
        self.lost(Answer(end="reset", store=True))

    def test_reset_before_it_was_stored(self):
        self.lost(Answer(end="reset", store=False), duplicates=0)

    def test_hang_up_after_it_was_stored(self):
        self.lost(Answer(end="hang_up", store=True))

    def test_half_an_answer(self):
        self.lost(Answer(end="cut"))

    def test_no_answer_within_the_timeout(self):
        agent, sink = self.lost(Answer(end="hang", store=True), timeout="500ms")
        begin, end = (request.time for request in sink.bulks())
        self.assertGreaterEqual(end - begin, 0.45)

    def test_an_empty_200_is_no_success(self):
        self.lost(Answer(200, b"", store=False), duplicates=0, times=3)

    def test_a_200_that_is_no_json_is_no_success(self):
        for body in (b"<html>welcome</html>", b'{"took":1', b"null", b"{}", b"[]", b'{"errors":false}', b'{"errors":false,"items":{}}',
                     b'{"errors":false,"items":null}', b"\xff\xfe", b'{"items":[{"create":{"status":201}}' * 20):  # fmt: skip
            with self.subTest(body=body):
                self.log_file.write_bytes(b"")
                WholeRequestTest.tearDownAgents(self)
                sink = self.bulk()
                agent, sink = self.survives(first(2, Answer(200, body, {"Content-Type": "text/html"}, False)), sink=sink)
                self.assertEqual(len(sink.bulks()), 3)
                self.assertEqual(sample(agent, "failed_requests_total"), 2)

    def wrong_items(self, edit, duplicates=20):
        self.lost(Answer(edit=edit), duplicates=duplicates)

    def test_too_few_items(self):
        self.wrong_items(lambda reply: {**reply, "items": reply["items"][:-1]})

    def test_too_many_items(self):
        self.wrong_items(lambda reply: {**reply, "items": reply["items"] * 2})

    def test_no_items(self):
        self.wrong_items(lambda reply: {**reply, "items": []})

    def test_items_without_a_status(self):
        self.wrong_items(lambda reply: {**reply, "items": [{"create": {"status": None}}, *reply["items"][1:]]})

    def test_status_that_is_no_number_of_http(self):
        self.wrong_items(lambda reply: {**reply, "items": [{"create": {"status": 0}}, *reply["items"][1:]]})

    def test_errors_is_not_believed(self):
        """`errors` says false, and yet one was refused."""
        sink = self.bulk()
        sink.answer(first(1, Answer(edit=lambda reply: {**reply, "errors": False})))
        sink.answer_items(lambda item: item_error(429) if item.document["message"] == "line 4" and len(sink.bulks()) < 2 else None)
        self.write(*[f"line {n}" for n in range(9)])
        agent = self.run_with(output(sink.url))
        self.shipped(agent, sink, [f"line {n}" for n in range(9)])

    def test_create_answered_as_index(self):
        def edit(reply):
            return {**reply, "items": [{"index": list(item.values())[0]} for item in reply["items"]]}

        sink = self.bulk()
        sink.answer(bulk_only(lambda request: Answer(edit=edit)))
        self.write("a", "b")
        agent = self.run_with(output(sink.url, id_mode="none"))
        self.shipped(agent, sink, ["a", "b"])
        self.assertEqual(len(sink.bulks()), 1)

    def test_a_large_answer_with_everything_in_it(self):
        """A server that knows nothing of filter_path."""
        reason = {"caused_by": {"reason": "x" * 3000, "status": 400, "stack": [{"a": "]}"}]}}

        def edit(reply):
            return {"took": 1, "items": [{"create": {**list(i.values())[0], "extra": reason}} for i in reply["items"]], "errors": reply["errors"]}

        sink = self.bulk()
        sink.answer(bulk_only(lambda request: Answer(edit=edit, body=None)))
        self.write(*[f"line {n}" for n in range(200)])
        agent = self.run_with(output(sink.url))
        self.shipped(agent, sink, [f"line {n}" for n in range(200)])


class HostsTest(AnswerCase):
    def test_a_dead_host_does_not_matter(self):
        sink = self.bulk()
        for load_balance in (True, False):
            with self.subTest(load_balance=load_balance):
                WholeRequestTest.tearDownAgents(self)
                self.log_file.write_bytes(b"")
                before = sink.count()
                dead = f"http://127.0.0.1:{free_port()}"
                agent = self.run_with(output([dead, sink.url], load_balance=load_balance))
                for n in range(5):
                    self.write(f"line {n} {load_balance}")
                    self.wait_count(sink, before + n + 1, timeout=5)
                self.settled(agent)

    def test_two_hosts_share_the_work(self):
        sinks = [self.bulk(), self.bulk()]
        self.write(*[f"line {n}" for n in range(2000)])
        agent = self.run_with(output([sink.url for sink in sinks], batch_max_entries=50, workers=2))
        wait_until("all came", lambda: sum(sink.count() for sink in sinks) == 2000)
        self.settled(agent)
        self.assertTrue(all(sink.count() for sink in sinks))

    def test_a_host_that_fails_hands_its_batch_over_at_once(self):
        bad, good = self.bulk(), self.bulk()
        bad.answer(lambda request: refuse(503))
        agent = self.run_with(output([bad.url, good.url], backoff={"min_period": "5s", "max_period": "60s"}))
        for n in range(4):
            self.write(f"line {n}")
            self.wait_count(good, n + 1, timeout=3)
        self.settled(agent)
        self.assertLessEqual(len(bad.bulks()), 2)

    def test_both_down_and_back(self):
        ports = [free_port(), free_port()]
        agent = self.run_with(output([f"http://127.0.0.1:{port}" for port in ports]))
        lines = [f"line {n}" for n in range(50)]
        self.write(*lines[:25])
        wait_until("it failed", lambda: sample(agent, "failed_requests_total") >= 4)
        self.write(*lines[25:])
        sinks = [self.bulk(port=port) for port in ports]
        wait_until("all came", lambda: sum(sink.count() for sink in sinks) == 50)
        self.settled(agent)
        told = [each["message"] for sink in sinks for each in sink.sources()]
        self.assertEqual(sorted(told), sorted(lines))
        for sink in sinks:
            sink.close()
        self.write("late")
        wait_until("it failed again", lambda: sample(agent, "failed_requests_total") >= 6)
        again = self.bulk(port=ports[1])
        self.wait_count(again, 1)
        self.settled(agent)


if __name__ == "__main__":
    harness.main()
