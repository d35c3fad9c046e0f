"""Log files that grow and are rotated while one program takes over from another, and which of their lines each
program answered for: what came to the receiver while it ran, against where its positions.yaml stood at the end."""

import bisect
import collections
import os
import random
import re
import threading
import time

_NUMBER = re.compile(r"log=(\S+) seq=(\d{9})")
_POSITION = re.compile(r'^ +(/.*): "(\d+)"$', re.M)


def plain(text):
    return text


def docker(text):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}Z"
    return f'{{"log":"{text}\\n","stream":"stdout","time":"{stamp}"}}'


def cri(text):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}Z"
    return f"{stamp} stdout F {text}"


class TrackedLog:
    """A file of numbered lines that knows where each of them ends. `form` wraps a line as a container engine
    does. `rotated`: what the n-th rotation is called."""

    def __init__(self, path, form=plain, rotated="{path}.{n}"):
        self.path = path
        self.name = "/".join(path.parts[-3:])
        self.next = 0
        self.segments = 1
        self._form = form
        self._rotated = rotated
        self._lock = threading.Lock()
        self._random = random.Random(self.name)
        self._text = self._random.randbytes(50_000).hex()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self):
        self._file = open(self.path, "ab", buffering=0)
        self._first = self.next  # The number of the first line of the file that is at the path now.
        self._ends = []

    def write(self, count):
        with self._lock:
            data, end = bytearray(), self._ends[-1] if self._ends else 0
            for number in range(self.next, self.next + count):
                # Lines of all lengths: offsets that are equal by chance would hide who wrote them.
                start, length = self._random.randrange(len(self._text) - 200), self._random.randrange(40, 160)
                line = f"log={self.name} seq={number:09d} {self._text[start : start + length]}"
                data += self._form(line).encode() + b"\n"
                self._ends.append(end + len(data))
            self._file.write(data)
            self.next += count

    def rotate(self):
        with self._lock:
            self._file.close()
            os.rename(self.path, self._rotated.format(path=self.path, n=self.segments))
            self.segments += 1
            self._open()

    @property
    def first(self):
        """The number of the first line in the file that is at the path now."""
        with self._lock:
            return self._first

    def number_at(self, offset):
        """The number of the line that begins at this offset of the file that is at the path; an offset within a
        line is an error."""
        with self._lock:
            index = bisect.bisect_left(self._ends, offset)
            if offset == 0:
                return self._first
            if index >= len(self._ends) or self._ends[index] != offset:
                raise AssertionError(f"{self.path}: {offset} is not where a line ends")
            return self._first + index + 1


class Load:
    """Writes to all logs without a pause, and rotates them when it is told to, until stop()."""

    def __init__(self, logs, per_turn=10, turn=0.01):
        self.logs = logs
        self._per_turn, self._turn = per_turn, turn
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end.wait(self._turn):
            for log in self.logs:
                log.write(self._per_turn)

    def stop(self):
        self._end.set()
        self._thread.join()


def positions(path):
    """What positions.yaml says, as {path: offset}."""
    return {name: int(offset) for name, offset in _POSITION.findall(path.read_text())} if path.exists() else {}


def numbers(entries):
    """{log: Counter of the numbers that came}."""
    came = collections.defaultdict(collections.Counter)
    for entry in entries:
        match = _NUMBER.search(entry.line)
        if match is None:
            raise AssertionError(f"no line that was written: {entry.line!r}")
        came[match.group(1)][int(match.group(2))] += 1
    return came


class Account:
    """Who answered for which lines."""

    def __init__(self, logs):
        self.logs = {log.name: log for log in logs}
        self.begin = dict.fromkeys(self.logs, 0)  # The first number that nobody has answered for.
        self.came = {name: collections.Counter() for name in self.logs}
        # Lines that came although the program's positions do not cover them, and the other way round.
        self.beyond = collections.Counter()
        self.short = collections.Counter()

    def close_phase(self, entries, offsets):
        """`entries`: what came in this phase. Gives (lines answered for, [lines that came and are not covered],
        [lines that are covered and did not come])."""
        came = numbers(entries)
        covered, beyond, short = 0, [], []
        for name, log in self.logs.items():
            end = log.number_at(offsets.get(str(log.path), 0))
            want = collections.Counter(range(self.begin[name], end))
            covered += len(want)
            beyond += [(name, number) for number in (came[name] - want).elements()]
            short += [(name, number) for number in (want - came[name]).elements()]
            self.came[name] += came[name]
            self.begin[name] = end
        self.beyond.update(beyond)
        self.short.update(short)
        return covered, beyond, short

    def lost(self):
        return collections.Counter((n, i) for n, log in self.logs.items() for i in range(log.next) if not self.came[n][i])

    def repeated(self):
        return collections.Counter({(n, i): c - 1 for n, came in self.came.items() for i, c in came.items() if c > 1})
