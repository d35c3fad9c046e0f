"""What was pushed, as the wire has it, and what was counted; and where two of them differ."""

import collections
import json
import re

from sink import fields, snappy_decode, timestamp, unquote

# `labels` as text, `line` as bytes, `meta` as sorted pairs: nothing is made equal that is not.
Record = collections.namedtuple("Record", "labels ts line meta")
_PIPELINE = re.compile(r'(?:^\{|, )pipeline="(\w+)"')
_PAIR = re.compile(r'(?:, )?([^=]+)="((?:[^"\\]|\\.)*)"', re.S)


def decode(body):
    """The entries of one request."""
    records = []
    for number, stream in fields(snappy_decode(body)):
        if number != 1:
            raise ValueError(f"push request: field {number}")
        labels, entries = "", []
        for field, value in fields(stream):
            if field == 1:
                labels = value.decode("utf-8", "surrogateescape")
            elif field == 2:
                entries.append(value)
        records += [_entry(labels, entry) for entry in entries]
    return records


def _entry(labels, data):
    ts, line, meta = None, b"", []
    for field, value in fields(data):
        if field == 1:
            ts = timestamp(value)
        elif field == 2:
            line = value
        elif field == 3:
            pair = dict(fields(value))
            meta.append((pair.get(1, b""), pair.get(2, b"")))
    return Record(labels, ts, line, tuple(sorted(meta)))


def by_pipeline(pushes):
    """{job: {(tenant, labels): [Record]}}: the last stage of every pipeline named the job."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for push in pushes:
        headers = {name.lower(): value for name, value in push.headers.items()}
        tenant = headers.get("x-scope-orgid", "")
        for record in push.entries:
            match = _PIPELINE.search(record.labels)
            if not match:
                raise AssertionError(f"an entry that names no pipeline: {record}")
            found[match.group(1)][tenant, record.labels].append(record)
    return found


def label_pairs(labels):
    """Names and values of `{a="1", b="2"}`, whatever the names are."""
    return [(name, unquote(value)) for name, value in _PAIR.findall(labels[1:-1])]


class View:
    """How the entries of a case are compared: what cannot be equal is made so, by rule."""

    def __init__(self, case, begin_ns, end_ns):
        self.case = case
        self.begin_ns = begin_ns
        self.end_ns = end_ns

    def _time(self, ts):
        return "now" if ts is not None and self.begin_ns <= ts <= self.end_ns else ts

    def _text(self, data):
        """JSON text in one order of keys."""
        if not self.case.any_objects or data[:1] not in (b"{", b"["):
            return data
        try:
            return json.dumps(json.loads(data), sort_keys=True).encode()
        except ValueError:
            return data

    def _labels(self, labels):
        if not self.case.any_objects:
            return labels
        return repr([(name, self._text(value.encode("utf-8", "surrogateescape"))) for name, value in label_pairs(labels)])

    def streams(self, found, relabel=lambda labels: labels):
        """`relabel`: what the labels are expected to become."""
        view = collections.defaultdict(list)
        for (tenant, labels), records in found.items():
            key = tenant, self._labels(relabel(labels))
            for record in records:
                meta = tuple((name, self._text(value)) for name, value in record.meta)
                view[key].append((self._time(record.ts), self._text(record.line), meta))
        if self.case.any_order:
            for records in view.values():
                records.sort(key=repr)
        return dict(view)


def difference(theirs, ours):
    """Empty if both are equal; else what is not, in words. Both from View.streams()."""
    out = []
    for key in sorted(set(theirs) | set(ours)):
        left, right = theirs.get(key, []), ours.get(key, [])
        if left == right:
            continue
        out.append(f"  stream {key[1]}" + (f" of tenant {key[0]}" if key[0] else ""))
        out.append(f"    Promtail has {len(left)} entries, the agent {len(right)}")
        for number in range(max(len(left), len(right))):
            a = left[number] if number < len(left) else None
            b = right[number] if number < len(right) else None
            if a != b:
                out += [f"    entry {number}:", *_unequal(a, b)]
                break
        if len(out) > 60:
            out.append("  ...")
            break
    return "\n".join(out)


def _unequal(theirs, ours):
    if theirs is None or ours is None:
        return [f"      Promtail: {_short(theirs)}", f"      agent:    {_short(ours)}"]
    out = []
    for what, a, b in zip(("time", "line", "metadata"), theirs, ours):
        if a != b and what == "metadata":
            a, b = [pair for pair in a if pair not in b], [pair for pair in b if pair not in a]
        if a != b:
            out += [f"      {what}: Promtail {_short(a)}", f"      {what}: agent    {_short(b)}"]
    return out


def _short(what):
    text = repr(what)
    return text if len(text) < 1500 else f"{text[:1000]} ... {text[-400:]}"


# --- Metrics


_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$", re.S)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', re.S)
_OURS = re.compile(r"^(promtail_custom_|diff_|logentry_dropped_lines)")


def log_metrics(text):
    """{sample or `# HELP x`: value} of the metrics that pipelines make. To Prometheus an empty help text is the
    same as none, and an empty label as well. Texts about the program's own metrics are its own."""
    found = {}
    for line in text.split("\n"):
        if line.startswith("#"):
            _, kind, name, *rest = line.split(" ", 3)
            if _OURS.match(name) and rest and rest[0] and not (kind == "HELP" and name.startswith("logentry_")):
                found[f"# {kind} {name}"] = rest[0]
            continue
        match = _SAMPLE.match(line)
        if match and _OURS.match(match.group(1)):
            labels = tuple(sorted(pair for pair in _LABEL.findall(match.group(2) or "") if pair[1]))
            found[match.group(1), labels] = repr(float(match.group(3)))
    return found


def metric_difference(theirs, ours):
    out = []
    for key in sorted(set(theirs) | set(ours), key=repr):
        if theirs.get(key) != ours.get(key):
            out.append(f"  {key}: Promtail {theirs.get(key)!r}, the agent {ours.get(key)!r}")
    return "\n".join(out[:40])
