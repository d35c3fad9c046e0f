#!/usr/bin/env python3
"""Every action of relabel_configs with its edge cases: the real Promtail and the agent get the same labels through
the same rules, and what comes out is compared."""

import json
import pathlib
import socket
import sys
import time

import harness
from harness import base_config, wait_until
from pusher import PROTOBUF, PUSH, entry, post, snappy, stream
from sink import Sink

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "differential"))

import records  # noqa: E402

A = {"a": "foo", "b": "Bar", "c": "b\u00e4z", "n1": "1", "n2": "2", "nl": "x\ny", "sp": " s p "}


def rule(action, sources=None, **more):
    made = {"action": action, **more}
    if sources is not None:
        made["source_labels"] = sources
    return made


# Rules that run one after the other, on A.
CASES = [
    [rule("replace", ["a"], regex="f(.*)", target_label="d", replacement="ch${1}-ch${1}")],
    [rule("replace", ["a", "b"], target_label="d")],
    [rule("replace", ["a", "missing", "b"], target_label="d")],
    [rule("replace", ["a", "b"], separator="", target_label="d")],
    [rule("replace", ["a", "b"], separator="--", regex="(.+)--(.+)", target_label="d", replacement="$2/$1")],
    [rule("replace", ["a"], regex="o+", target_label="d", replacement="not anchored")],
    [rule("replace", ["a"], regex="fo", target_label="d", replacement="a prefix")],
    [rule("replace", ["a"], regex="foo|x", target_label="d", replacement="an alternative")],
    [rule("replace", ["missing"], target_label="a")],
    [rule("replace", ["missing"], regex="(.+)", target_label="a")],
    [rule("replace", ["a"], regex="", target_label="d", replacement="the empty text")],
    [rule("replace", ["missing"], regex="", target_label="d", replacement="the empty text")],
    [rule("replace", target_label="d", replacement="constant")],
    [rule("replace", target_label="a", replacement="")],
    [rule("replace", ["a"], target_label="d", replacement="$1x")],
    [rule("replace", ["a"], target_label="d", replacement="${1}x$$")],
    [rule("replace", ["a"], target_label="d", replacement="$2 ${name} $")],
    [rule("replace", ["a"], regex="(?P<first>.)(.*)", target_label="d", replacement="$2${first}")],
    [rule("replace", ["a", "b"], regex="(.*);(.*)", target_label="${1}_x", replacement="$2")],
    [rule("replace", ["nl"], regex="x(.*)", target_label="d")],
    [rule("replace", ["a"], regex="(?i)FOO", target_label="d", replacement="in any case")],
    [rule("replace", ["sp"], target_label="d")],
    [rule("replace", ["a"], target_label="__tmp"), rule("replace", ["__tmp"], target_label="d")],
    [rule("Replace", ["a"], target_label="d")],
    [rule("keep", ["a"], regex="foo|bar")],
    [rule("keep", ["a"], regex="fo")],
    [rule("keep", ["missing"], regex=".*")],
    [rule("keep", ["missing"], regex=".+")],
    [rule("keep", ["a", "b"], regex="foo;Bar")],
    [rule("keep", regex="")],
    [rule("keep", regex="x")],
    [rule("drop", ["a"], regex="f.*")],
    [rule("drop", ["a"], regex="f")],
    [rule("drop", ["missing"], regex="")],
    [rule("drop", ["missing"], regex=".+")],
    [rule("drop", ["nl"], regex="x.y")],
    [rule("keepequal", ["a"], target_label="a")],
    [rule("keepequal", ["a"], target_label="b")],
    [rule("keepequal", ["missing"], target_label="missing_too")],
    [rule("keepequal", ["n1", "n2"], target_label="joined")],
    [rule("replace", target_label="joined", replacement="1;2"), rule("keepequal", ["n1", "n2"], target_label="joined")],
    [rule("dropequal", ["a"], target_label="a")],
    [rule("dropequal", ["a"], target_label="b")],
    [rule("dropequal", ["missing"], target_label="missing_too")],
    [rule("hashmod", ["a"], target_label="d", modulus=1000)],
    [rule("hashmod", ["a", "b"], target_label="d", modulus=7)],
    [rule("hashmod", ["a", "b"], separator="", target_label="d", modulus=9223372036854775807)],
    [rule("hashmod", ["missing"], target_label="d", modulus=1000)],
    [rule("hashmod", ["c", "nl"], target_label="a", modulus=1)],
    [rule("labelmap", regex="n(l)")],
    [rule("labelmap", regex="n(.)", replacement="new_$1")],
    [rule("labelmap", regex="n(.)", replacement="one")],
    [rule("labelmap", regex="(a|b)", replacement="$1$1")],
    [rule("labelmap", regex="a", replacement="b")],
    [rule("labelmap", regex="n", replacement="whole")],
    [rule("labeldrop", regex="n.*")],
    [rule("labeldrop", regex="n")],
    [rule("labeldrop", regex="(?i)A")],
    [rule("labelkeep", regex="a|n1")],
    [rule("labelkeep", regex="nothing")],
    [rule("labelkeep", regex=".*")],
    [rule("lowercase", ["b", "c"], target_label="d")],
    [rule("uppercase", ["b", "c"], target_label="d")],
    [rule("uppercase", ["missing"], target_label="a")],
    [rule("lowercase", ["b"], target_label="b")],
    [rule("replace", ["a"], target_label="d"), rule("labeldrop", regex="a"), rule("keep", ["a"], regex="")],
    [rule("drop", ["a"], regex="foo"), rule("replace", target_label="d", replacement="too late")],
]
# Names that Loki would refuse, with all of the request: Promtail 3.6 makes them, and the agent something else.
NAMES = [
    ([rule("replace", ["c"], target_label="${1}_x", replacement="x")], '{a="foo", b="Bar", c="b\u00e4z", n1="1", n2="2", nl="x\\ny", sp=" s p "}'),
    ([rule("labelmap", regex="n(\\d)")], '{_1="1", _2="2", a="foo", b="Bar", c="b\u00e4z", n1="1", n2="2", nl="x\\ny", sp=" s p "}'),
]


def quiet_ports(count):
    """Outside of the range from which the kernel gives ports to those who ask for any: none of them is taken
    while the others are."""
    for begin in range(14000, 30000, count):
        probes = [socket.socket() for _ in range(count)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", begin + offset))
            return list(range(begin, begin + count))
        except OSError:
            pass
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


class Target:
    """A program with a push job for each case."""

    def __init__(self, test, name, binary, cases):
        self.sink = Sink(decode=records.decode)
        test.addCleanup(self.sink.close)
        self.ports = quiet_ports(len(cases))
        jobs = []
        for number, (port, rules) in enumerate(zip(self.ports, cases)):
            server = {"http_listen_address": "127.0.0.1", "http_listen_port": port}
            server.update({"grpc_listen_address": "127.0.0.1", "grpc_listen_port": 0})
            jobs.append({"job_name": f"r{number}", "loki_push_api": {"server": server}, "relabel_configs": rules})
        (test.dir / name).mkdir()
        self.process = harness.Agent(test.dir / name, base_config(test.dir / name, self.sink.url, jobs), binary=binary)
        test.agents.append(self.process)
        wait_until(f"{name} listens everywhere", self.ready, timeout=60)
        labels = "{" + ", ".join(f"{each}={json.dumps(value)}" for each, value in A.items()) + "}"
        for number, port in enumerate(self.ports):
            body = snappy(stream(labels, entry(time.time_ns(), f"r{number}")))
            test.assertEqual(post(port, PUSH, body, PROTOBUF).status, 204, cases[number])
        # A stop delivers what was taken.
        test.assertEqual(self.process.stop(40)[0], 0)
        with self.sink.lock:
            self.labels = {each.line.decode(): each.labels for push in self.sink.pushes for each in push.entries}

    def ready(self):
        self.process.check_running()
        try:
            return all(post(port, "/ready", None, {}, "GET").status == 200 for port in self.ports)
        except OSError:
            return False


class RelabelTest(harness.TestCase):
    def test_every_action_does_what_promtail_does(self):
        promtail = harness.build_server("promtail")
        theirs = Target(self, "promtail", promtail, CASES).labels
        ours = Target(self, "agent", harness.AGENT, CASES).labels

        self.assertGreater(len(theirs), 40)
        self.assertLess(len(theirs), len(CASES))
        for number, rules in enumerate(CASES):
            with self.subTest(json.dumps(rules)):
                self.assertEqual(ours.get(f"r{number}"), theirs.get(f"r{number}"))

    def test_no_name_is_made_that_loki_would_refuse(self):
        made = Target(self, "agent", harness.AGENT, [rules for rules, _ in NAMES]).labels

        self.assertEqual([made[f"r{number}"] for number in range(len(NAMES))], [want for _, want in NAMES])


if __name__ == "__main__":
    harness.main()
