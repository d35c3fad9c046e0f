"""What Elasticsearch and OpenSearch ask of a bulk request, as strictly as the strictest of them, and how
they shorten an answer by filter_path. Nothing here knows of HTTP or keeps anything."""

import fnmatch
import json
import re

ACTIONS = ("create", "delete", "index", "update")
_METADATA = {
    "_id", "_index", "dynamic_templates", "if_primary_term", "if_seq_no", "list_executed_pipelines", "pipeline",
    "require_alias", "require_data_stream", "retry_on_conflict", "routing", "version", "version_type",
}  # fmt: skip
_QUERY = {
    "_source", "_source_excludes", "_source_includes", "error_trace", "filter_path", "human", "pipeline", "pretty",
    "refresh", "require_alias", "routing", "timeout", "wait_for_active_shards",
}  # fmt: skip


class Refused(Exception):
    """The whole request, or one item of it."""

    def __init__(self, status, kind, reason):
        super().__init__(f"{status} {kind}: {reason}")
        self.status, self.kind, self.reason = status, kind, reason


class Item:
    """One action of a bulk request."""

    def __init__(self, action, meta, document):
        self.action = action
        self.meta = meta
        self.index = meta.get("_index")
        self.id = meta.get("_id")
        self.pipeline = meta.get("pipeline")
        self.raw = document  # The bytes of the document's line; None for delete.
        self.status = None  # Once answered.

    @property
    def document(self):
        return parse_document(self.raw)


def _bad(reason, kind="illegal_argument_exception"):
    return Refused(400, kind, reason)


def _unique(pairs):
    found = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"Duplicate field '{key}'")
        found[key] = value
    return found


def _no_constant(name):
    raise ValueError(f"Non-standard token '{name}'")


def strict_json(data):
    """JSON in UTF-8 without duplicate keys, NaN and Infinity; ValueError otherwise."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)


def parse_document(line):
    try:
        document = strict_json(line)
    except (ValueError, RecursionError) as error:
        raise _bad(f"failed to parse: {error}", "mapper_parsing_exception") from None
    if not isinstance(document, dict):
        raise _bad("failed to parse: a document is an object", "mapper_parsing_exception")
    return document


def check_query(query):
    """`query` is a dict. Parameters that no server knows are refused by all of them."""
    unknown = sorted(set(query) - _QUERY)
    if unknown:
        raise _bad(f"request [/_bulk] contains unrecognized parameter: [{unknown[0]}]")


def _lines(body):
    if not body:
        raise _bad("request body is required", "parse_exception")
    if not body.endswith(b"\n"):
        raise _bad("The bulk request must be terminated by a newline [\\n]")
    lines = body[:-1].split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise _bad(f"line [{number}] is blank")
        if line.endswith(b"\r"):
            raise _bad(f"line [{number}] ends in a carriage return")
    return lines


def _parse_action(line, number, types):
    where = f"Malformed action/metadata line [{number}]"
    try:
        action = strict_json(line)
    except (ValueError, RecursionError) as error:
        raise _bad(f"{where}: {error}", "x_content_parse_exception") from None
    if not isinstance(action, dict):
        raise _bad(f"{where}, expected START_OBJECT")
    if len(action) != 1:
        raise _bad(f"{where}, expected one key but found {len(action)}")
    ((name, meta),) = action.items()
    if name not in ACTIONS:
        raise _bad(f"{where}, expected field [create], [delete], [index] or [update] but found [{name}]")
    if not isinstance(meta, dict):
        raise _bad(f"{where}, expected START_OBJECT but found [{type(meta).__name__}]")
    known = _METADATA | {"_type"} if types else _METADATA
    for key, value in meta.items():
        if key not in known:
            raise _bad(f"Action/metadata line [{number}] contains an unknown parameter [{key}]")
        if isinstance(value, (dict, list)) and key != "dynamic_templates":
            raise _bad(f"{where}, expected a simple value for field [{key}]")
        if key in ("_index", "_id", "pipeline", "routing") and not isinstance(value, str):
            raise _bad(f"{where}, expected a string for field [{key}]")
        if key == "require_alias" and not isinstance(value, bool):
            raise _bad(f"{where}, expected a boolean for field [{key}]")
    return name, meta


def parse_bulk(body, default_index=None, default_pipeline=None, types=False):
    """The items of a request; Refused if the whole of it is. `types`: `_type` is known, as before 8.0."""
    items, invalid = [], []
    lines = _lines(body)
    at = 0
    while at < len(lines):
        action, meta = _parse_action(lines[at], at + 1, types)
        at += 1
        document = None
        if action != "delete":
            if at == len(lines):
                raise _bad(f"action on line [{at}] has no document")
            document = lines[at]
            at += 1
        item = Item(action, meta, document)
        item.index = item.index or default_index
        item.pipeline = item.pipeline or default_pipeline
        if not item.index:
            invalid.append("index is missing")
        if item.id is not None and len(item.id.encode()) > 512:
            invalid.append(
                f"id [{item.id}] is too long, must be no longer than 512 bytes but was: {len(item.id.encode())}"
            )
        if item.id is None and action in ("delete", "update"):
            invalid.append("id is missing")
        items.append(item)
    if invalid:
        reasons = "".join(f"{number}: {reason};" for number, reason in enumerate(invalid, 1))
        raise _bad(f"Validation Failed: {reasons}", "action_request_validation_exception")
    return items


_FORBIDDEN = re.compile(r'[\\/*?"<>| ,#:]')


def check_index_name(name):
    def invalid(reason):
        return _bad(f"Invalid index name [{name}], {reason}", "invalid_index_name_exception")

    if name in (".", ".."):
        raise invalid("must not be '.' or '..'")
    if _FORBIDDEN.search(name):
        raise invalid("must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]")
    if name[0] in "-_+":
        raise invalid("must not start with '_', '-', or '+'")
    if name != name.lower():
        raise invalid("must be lowercase")
    if len(name.encode()) > 255:
        raise invalid(f"index name is too long, ({len(name.encode())} > 255)")


def _include(value, patterns):
    """The part of `value` that one of `patterns` selects, or None. Lists are looked through."""
    if isinstance(value, list):
        kept = [part for part in (_include(each, patterns) for each in value) if part is not None]
        return kept or None
    if not isinstance(value, dict):
        return None
    result = {}
    for key, child in value.items():
        rest, whole = [], False
        for pattern in patterns:
            head, tail = pattern[0], pattern[1:]
            if head == "**":
                rest.append(pattern)
                if not tail:
                    whole = True
                    continue
                head, tail = tail[0], tail[1:]
            if fnmatch.fnmatchcase(key, head):
                if tail:
                    rest.append(tail)
                else:
                    whole = True
        part = child if whole else _include(child, rest)
        if part is not None:
            result[key] = part
    return result or None


def filter_answer(answer, filter_path):
    """What is left of an answer: an item of which nothing is selected vanishes, and with it every position."""
    patterns = [path.strip().split(".") for path in filter_path.split(",") if path.strip()]
    if not patterns:
        return answer
    return _include(answer, patterns) or {}
