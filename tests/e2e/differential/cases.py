"""Pipelines and their lines, from pipelines/*.yaml. README.md has the format."""

import datetime
import pathlib
import random
import re

import yaml

import generated
import grammar

_FOLDER = pathlib.Path(__file__).resolve().parent / "pipelines"
_ROOT = _FOLDER.parents[3]
_AGO = re.compile(rb"@ago (-?\d+)(ms|s|m|h)@")
_NANOS = {b"ms": 10**6, b"s": 10**9, b"m": 60 * 10**9, b"h": 3600 * 10**9}


class _Loader(yaml.SafeLoader):
    pass


def _bytes(loader, node):
    return loader.construct_scalar(node).encode("latin-1")


_Loader.add_constructor("!bytes", _bytes)


def rfc3339(ns):
    at = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"


def _line(line, now_ns):
    data = line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass")
    if b"\n" in data:
        raise ValueError(f"a line with a newline in it: {data!r}")
    return _AGO.sub(lambda ago: rfc3339(now_ns - int(ago.group(1)) * _NANOS[ago.group(2)]).encode(), data)


class Case:
    """One pipeline. `lines` are bytes without newline."""

    def __init__(self, file, data):
        self.file = file
        self.name = data["name"]
        self.stages = data.get("stages", "")
        self.labels = data.get("labels", {})
        self.job = data.get("job")
        self.any_order = data.get("order") == "any"
        self.any_objects = data.get("objects") == "any"
        self.refuse = data.get("refuse", "both")
        self.lines = []
        unknown = set(data) - {
            "name", "stages", "labels", "job", "order", "objects", "refuse", "lines", "use", "generate",
        }
        if unknown:
            raise ValueError(f"{file}: {self.name}: unknown keys {unknown}")

    @property
    def title(self):
        return f"{self.file}: {self.name}"

    def with_lines(self, lines):
        copy = object.__new__(Case)
        copy.__dict__.update(self.__dict__, lines=lines)
        return copy

    def scrape_config(self, job, file, mark=True):
        """The text of one scrape_configs item. `mark`: the last stage names the job."""
        stages = self.stages.rstrip("\n").replace("@ROOT@", str(_ROOT))
        text = f"  - job_name: {job}\n    pipeline_stages:"
        if stages.strip() in ("", "[]"):
            text += "\n" if mark else " []\n"
        else:
            text += "\n" + _indent(stages, 6) + "\n"
        if mark:
            text += f"      - static_labels: {{pipeline: {job}}}\n"
        if self.job is not None:
            return text + _indent(self.job.replace("@FILE@", str(file)).replace("@ID@", job).rstrip("\n"), 4) + "\n"
        labels = {"job": job, **self.labels, "__path__": str(file)}
        pairs = ", ".join(f"{_quoted(key)}: {_quoted(value)}" for key, value in labels.items())
        return text + f"    static_configs: [{{targets: [localhost], labels: {{{pairs}}}}}]\n"


def _quoted(text):
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _indent(text, width):
    return "\n".join(" " * width + line if line.strip() else line for line in text.split("\n"))


def generate(seed, count):
    """`count` pipelines of each kind that `generated.py` knows."""
    made = []
    for kind, (make, options) in generated.KINDS.items():
        for number in range(count):
            stages, lines = make(random.Random(f"{seed} {kind} {number}"))
            case = Case("generated", {"name": f"{kind} {number}", "stages": stages, **options})
            case.lines = [line.replace(b"\n", b" ") for line in lines]
            made.append(case)
    return made


def load(seed, times, now_ns):
    """(pipelines, refused). The lines of a pipeline depend on the seed and its own name alone."""
    pipelines, refused = [], []
    for path in sorted(_FOLDER.glob("*.yaml")):
        data = yaml.load(path.read_text(), _Loader)
        if not data.get("enabled", True):
            continue
        sets = data.get("sets", {})
        for item in data.get("pipelines", []):
            case = Case(path.stem, item)
            chosen = random.Random(f"{seed} {case.title}")
            lines = [line for name in item.get("use", []) for line in sets[name]] + item.get("lines", [])
            for name, count in item.get("generate", {}).items():
                lines += grammar.generate(name, chosen, count * times)
            case.lines = [_line(line, now_ns) for line in lines]
            if not case.lines:
                raise ValueError(f"{case.title}: no lines")
            pipelines.append(case)
        refused += [Case(path.stem, item) for item in data.get("refused", [])]
    titles = [case.title for case in pipelines + refused]
    repeated = {title for title in titles if titles.count(title) > 1}
    if repeated:
        raise ValueError(f"two cases with one name: {repeated}")
    return pipelines, refused
