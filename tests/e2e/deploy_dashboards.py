"""The dashboards and rules of deploy/ as the tests look at them: every query with its place, variables filled in."""

import json
import pathlib
import re

import yaml
from harness import ROOT

DEPLOY = ROOT / "deploy"

# What Grafana puts in place of its own variables.
BUILT_IN = {"__auto": "5m", "__interval": "5m", "__rate_interval": "5m", "__range": "2h"}
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")


class Panel:
    def __init__(self, board, panel):
        self.board, self.panel = board, panel
        self.title = f"{board.path.name}: {panel['title']}"

    def queries(self, values):
        """(title, expression) with variables replaced; a variable that nobody declared is a KeyError."""
        known = {**BUILT_IN, **values}
        for target in self.panel.get("targets", []):
            expr = _VARIABLE.sub(lambda match: known[match.group(1) or match.group(2)], target["expr"])
            yield f"{self.title} ({target['refId']})", expr


class Board:
    def __init__(self, path):
        self.path = path
        self.json = json.loads(path.read_text())
        self.panels = [Panel(self, panel) for panel in self.json["panels"]]

    def variables(self):
        return {variable["name"] for variable in self.json["templating"]["list"]}

    def used_variables(self):
        """Of queries, titles and links; without those that Grafana makes itself."""
        text = json.dumps([self.json["panels"], self.json["templating"], self.json["links"]])
        names = {one or other for one, other in _VARIABLE.findall(text)}
        return {name for name in names if not name.startswith("__")}


def boards():
    return [Board(path) for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))]


def rules(*paths):
    """(place, rule) of files in Prometheus' format."""
    for path in paths:
        for group in yaml.safe_load(pathlib.Path(path).read_text())["groups"]:
            for rule in group["rules"]:
                yield f"{path.name}: {rule.get('alert') or rule['record']}", rule


# PromQL, as far as these dashboards write it.
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "offset", "bool"}


def selectors(expr):
    """{metric: labels that are asked for}, and the labels that are grouped by."""
    grouped = {name.strip() for _, names in _GROUPING.findall(expr) for name in names.split(",") if name.strip()}
    found = {}
    for names, braces in re.findall(r'\{__name__=~"([^"]*)"([^}]*)\}', expr):
        for name in names.split("|"):
            found.setdefault(name, set()).update(re.findall(r"(\w+)\s*[=!]", _TEXT.sub('""', braces)))
    text = re.sub(r"\{__name__[^}]*\}", "", expr)
    text = _GROUPING.sub("", _TEXT.sub('""', text))
    text = re.sub(r"\[[^\]]*\]", "", text)
    for match in _NAME.finditer(text):
        name, braces = match.groups()
        behind = text[match.end() :].lstrip()
        if name in _WORDS or (behind.startswith("(") and not braces) or text[: match.start()].rstrip().endswith("offset"):
            continue
        found.setdefault(name, set()).update(re.findall(r"(\w+)\s*[=!]", braces or ""))
    return found, grouped
