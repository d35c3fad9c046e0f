#!/usr/bin/env python3
"""Syslog messages become the same entries as in the real Promtail, and what Promtail drops is not lost."""

import collections
import socket

import harness
from harness import free_port, wait_until
from syslog_bed import Sender, SyslogCase, counted, message


class SameAsPromtailTest(SyslogCase):
    """The same connections to the real Promtail and to the agent: the same lines with the same labels."""

    # What each connection sends; where Promtail drops what it cannot read, the agent's entries that come on top.
    NEW = [
        (message("one\n") + message("two\n"), []),
        (message("joined\n line\nthird\n") + message("next\n"), []),
        (message("x\n\n\n") + message("y\n"), []),
        (message("cr\r\n"), []),
        (message("half"), []),
        (message("\xff\ufeff\0 odd\t bytes \n"), []),
        (counted(message("counted 1")) + counted(message("counted\n2")) + b"\n" + counted(message("3")), []),
        (b'<165>1 - h - p - [a@1 b="1" b="2" e=""][c x="q\\"\\]\\\\"] sd\n', []),
        (b"<13>1 2023-05-06T07:08:09Z h a p m -\n<13>1 - - - - - - \n", []),
        (b"<0>1 - - - - - - <14>x\n<191>99 - - - - - - last\n", []),
        (b"<13>1 2023-05-06T07:08:09.100+00:00 - - - - - t\n<13>1 2023-05-06T07:08:09-01:30 - - - - - u\n", []),
        (message("l" * 20000 + "\n") + message("after long\n"), []),
        (message("bare\n") + b"<oops\n" + message("z\n"), ["<oops"]),
        (b"<13>1 - h\x7f a p m - x\n" + message("after host\n"), [" h\x7f a p m - x"]),
        (b"GET / HTTP/1.0\r\n\r\n", []),
    ]
    OLD = [
        (b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n", []),
        (b"<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!\n", []),
        (b"<13>Jan  1 07:08:09 app[1]: no host\n", []),
        (b"<13>Jan  1 07:08:09 host app: \n<13>Jan  1 07:08:09 host app[]: empty\n", []),
        (b"<13> Jan  1 07:08:09  host  app: spaces\n", []),
        (b"<13>Jan  1 07:08:09 host app-1.2_3[4.5]: x\n", []),
        (b"<13>Jan  1 07:08:09 host (app): y\n<13>Jan  1 07:08:09 host %ASA-6-1: z\n", []),
        (b"<13>Jan  1 07:08:09 host one two three\n", []),
        (b"<13>text only\n", ["text only"]),
    ]

    @classmethod
    def setUpClass(cls):
        cls.promtail = harness.build_server("promtail")

    def collect(self, name, binary, streams, keys):
        receiver = self.sink()
        self.port = free_port()
        config = self.config(relabel=[{"action": "labelmap", "regex": "__syslog_(.+)"}], url=receiver.url, **keys)
        agent = self.start(config, name=name, binary=binary).wait_ready()
        udp = keys.get("listen_protocol") == "udp"
        for data, _ in streams:
            if udp:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.sendto(data, ("127.0.0.1", self.port))
            else:
                Sender(self.port).send(data).close()
        last = message("end of the test") if not keys.get("syslog_format") else b"<13>Jan  1 07:08:09 host end: end of the test"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if udp else Sender(self.port).socket as sender:
            sender.connect(("127.0.0.1", self.port)) if udp else None
            sender.sendall(last)

        def done():
            metrics = agent.metrics()
            parsed = sum(
                metrics.sum(f"promtail_syslog_{what}_total")
                for what in ("target_entries", "target_parsing_errors", "empty_messages")
            )
            shipped = receiver.taken_count() >= metrics.sum("promtail_syslog_target_entries_total")
            same = (parsed, shipped) == (done.before, True)
            done.before = parsed
            return same and any("end of the test" in line for line in receiver.lines())

        done.before = None
        wait_until(lambda: f"{name}: {receiver.lines()}", done, pause=0.5)
        empty = agent.metrics().sum("promtail_syslog_empty_messages_total")
        agent.stop(timeout=40)
        return receiver.taken(), empty

    def compare(self, streams, **keys):
        theirs, their_empty = self.collect("promtail", self.promtail, streams, keys)
        ours, our_empty = self.collect("agent", harness.AGENT, streams, keys)
        extra = collections.Counter(line for _, lines in streams for line in lines)

        def show(entries):
            return collections.Counter((entry.line, tuple(sorted(entry.labels.items()))) for entry in entries)

        more = show(ours) - show(theirs)
        self.assertEqual(show(theirs) - show(ours), collections.Counter())
        self.assertEqual(collections.Counter(line for line, _ in more.elements()), extra)
        self.assertEqual(our_empty, their_empty)
        if keys.get("use_incoming_timestamp"):
            self.assertEqual({e.line: e.ts for e in theirs if "2023" in e.line}, {e.line: e.ts for e in ours if "2023" in e.line})

    def test_rfc5424(self):
        self.compare(self.NEW, label_structured_data=True)

    def test_whole_messages_and_their_time(self):
        broken = [stream for stream, extra in self.NEW if not extra]
        self.compare([(stream, []) for stream in broken], use_rfc5424_message=True, use_incoming_timestamp=True)

    def test_rfc3164(self):
        self.compare(self.OLD, syslog_format="rfc3164")

    def test_udp(self):
        streams = [stream for stream in self.NEW if len(stream[0]) < 8000]
        self.compare([*streams[:-1], (b"garbage", ["garbage"])], listen_protocol="udp")


if __name__ == "__main__":
    harness.main()
