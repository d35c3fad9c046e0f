"""Numbered lines into a file that is rotated while it grows, and what became of the numbers."""

import collections
import os
import random
import re

_NUMBER = re.compile(r"seq=(\d{9})")


def number_of(line):
    match = _NUMBER.search(line)
    return int(match.group(1)) if match else None


class RotatingWriter:
    """Writes `seq=000000042 ...` lines; rotates by rename and create, as most programs do."""

    def __init__(self, path, first=0):
        self.path = path
        self.first = first
        self.next = first
        self.rotations = 0
        self._random = random.Random(first)
        self._text = self._random.randbytes(500_000).hex().encode()
        self._file = open(path, "ab", buffering=0)

    def write(self, count, padding=80):
        # Text that compresses as little as logs do, so that batches have the size of real ones.
        starts = [self._random.randrange(len(self._text) - padding) for _ in range(count)]
        data = b"".join(
            b"seq=%09d %s\n" % (self.next + n, self._text[start : start + padding]) for n, start in enumerate(starts)
        )
        self.next += count
        self._file.write(data)

    def rotate(self):
        self.rotations += 1
        os.rename(self.path, f"{self.path}.{self.rotations}")
        self.reopen()

    def reopen(self):
        """What a program does when it is told that its file was renamed or removed."""
        self._file.close()
        self._file = open(self.path, "ab", buffering=0)


class Tally:
    """How often each number came."""

    def __init__(self, entries):
        self.count = collections.Counter()
        self.out_of_order = 0
        last = {}
        for entry in entries:
            number = number_of(entry.line)
            if number is None:
                continue
            self.count[number] += 1
            stream = tuple(sorted(entry.labels.items()))
            # A repeat goes back on purpose; order is about what comes for the first time.
            if self.count[number] == 1:
                if number < last.get(stream, -1):
                    self.out_of_order += 1
                last[stream] = max(last.get(stream, -1), number)

    def missing(self, writer):
        return [n for n in range(writer.first, writer.next) if n not in self.count]

    def repeats(self):
        return sum(self.count.values()) - len(self.count)
