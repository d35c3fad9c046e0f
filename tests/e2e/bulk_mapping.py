"""Dynamic mapping as far as it refuses documents: the first value of a field fixes its type."""

import re

from bulk_rules import Refused

_DATE = re.compile(r"^\d{4}([-/])\d{2}\1\d{2}(T\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$")
_INTEGER = ("byte", "short", "integer", "long", "unsigned_long")
_FLOAT = ("half_float", "float", "double", "scaled_float")


def _number(text, kind=float):
    try:
        kind(text)
    except ValueError:
        return False
    return True


class Mapping:
    """The fields of one index. Templates may give some of them beforehand."""

    DEPTH, FIELDS = 20, 1000

    def __init__(self, mappings=None):
        mappings = mappings or {}
        self.kinds = {}  # dotted path: type
        self._date_detection = mappings.get("date_detection", True)
        self._dynamic = str(mappings.get("dynamic", True)).lower()
        self._give(mappings.get("properties", {}), "")

    def _give(self, properties, prefix):
        for name, field in properties.items():
            kind = field.get("type", "object")
            path = prefix + name
            while "." in path:
                path = path.rpartition(".")[0]
                self.kinds.setdefault(path, "object")
            self.kinds[prefix + name] = kind
            self._give(field.get("properties", {}), f"{prefix}{name}.")

    def take(self, document):
        """Adds the fields of a document, or raises Refused and stays as it was."""
        added = {}
        self._object(document, "", added, 1)
        # Each string field has a keyword beside it that counts as well.
        known = sum(2 if kind == "text+keyword" else 1 for kind in [*self.kinds.values(), *added.values()])
        if added and known > self.FIELDS:
            raise Refused(400, "illegal_argument_exception", f"Limit of total fields [{self.FIELDS}] has been exceeded")
        self.kinds.update(added)

    def _object(self, value, prefix, added, depth):
        if depth > self.DEPTH:
            raise Refused(400, "illegal_argument_exception", f"Limit of mapping depth [{self.DEPTH}] has been exceeded")
        for name, child in value.items():
            parts = name.split(".")
            if not all(part.strip() for part in parts):
                reason = f"field name cannot contain only whitespace or an empty segment: [{prefix}{name}]"
                raise Refused(400, "mapper_parsing_exception", reason)
            path = prefix
            for part in parts[:-1]:
                self._field(path + part, {}, added, depth)
                path += f"{part}."
            self._field(path + parts[-1], child, added, depth)

    def _field(self, path, value, added, depth):
        if isinstance(value, list):
            for each in value:
                self._field(path, each, added, depth)
            return
        if value is None:
            return
        kind = self.kinds.get(path) or added.get(path)
        if kind is None:
            if self._dynamic == "false":
                return
            if self._dynamic == "strict":
                reason = f"mapping set to strict, dynamic introduction of [{path}] is not allowed"
                raise Refused(400, "strict_dynamic_mapping_exception", reason)
            kind = added[path] = self._guess(value)
        if not self._fits(kind, value):
            reason = f"failed to parse field [{path}] of type [{kind.partition('+')[0]}]"
            if kind == "object":
                reason = f"object mapping for [{path}] tried to parse field [{path}] as object, but found a concrete value"
            raise Refused(400, "mapper_parsing_exception", reason)
        if isinstance(value, dict) and kind in ("object", "nested"):
            self._object(value, f"{path}.", added, depth + 1)

    def _guess(self, value):
        if isinstance(value, dict):
            return "object"
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, int):
            return "long"
        if isinstance(value, float):
            return "float"
        return "date" if self._date_detection and _DATE.match(value) else "text+keyword"

    @staticmethod
    def _fits(kind, value):
        if kind in ("object", "nested", "flattened"):
            return isinstance(value, dict)
        if isinstance(value, dict):
            return False
        if kind in _INTEGER:
            if isinstance(value, bool) or not _number(str(value)):
                return False
            return -(1 << 63) <= float(value) < (1 << 63)
        if kind in _FLOAT:
            return not isinstance(value, bool) and _number(str(value))
        if kind == "boolean":
            return isinstance(value, bool) or value in ("true", "false", "")
        if kind in ("date", "date_nanos"):
            if isinstance(value, bool):
                return False
            return not isinstance(value, str) or bool(_DATE.match(value)) or _number(value, int)
        return True
