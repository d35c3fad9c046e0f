"""The documents, indices, data streams, aliases and templates that the strict bulk sink keeps in memory."""

import fnmatch
import re
import time

from bulk_mapping import Mapping
from bulk_rules import Refused, check_index_name


class Document:
    def __init__(self, index, identity, source, order):
        self.index, self.id, self.source, self.order = index, identity, source, order
        self.version = 1


class _Index:
    def __init__(self, name, mappings):
        self.name = name
        self.mapping = Mapping(mappings)
        self.documents = {}  # id: Document


def resolve_date_math(name, now=None):
    """`<logs-{now/d}-000001>` becomes `logs-2024.05.01-000001`; another name stays as it is."""
    if not (name.startswith("<") and name.endswith(">")):
        return name
    return re.sub(r"\{now/d\}", time.strftime("%Y.%m.%d", time.gmtime(now)), name[1:-1])


class Store:
    def __init__(self, auto_create=True, data_streams=()):
        self.auto_create = auto_create
        self.indices = {}  # name: _Index
        self.streams = {}  # name: names of its backing indices, the last is written to
        self.aliases = {}  # name: {index: is_write_index}
        self.templates = {}  # name: body of PUT _index_template
        self.policies = {}
        self.pipelines = {}
        self._stream_patterns = tuple(data_streams)
        self._orders = 0
        self._made_ids = 0

    # --- Setup.

    def template_for(self, name):
        """The template of highest priority that fits an index of that name, or {}."""
        fitting = [
            template
            for template in self.templates.values()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in template.get("index_patterns", []))
        ]
        return max(fitting, key=lambda template: template.get("priority", 0), default={})

    def is_stream(self, name):
        if name in self.streams or "data_stream" in self.template_for(name):
            return True
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._stream_patterns)

    def create_index(self, name, body=None):
        """By PUT. Gives the name that it really got."""
        name = resolve_date_math(name)
        check_index_name(name)
        if name in self.indices or name in self.aliases:
            raise Refused(400, "resource_already_exists_exception", f"index [{name}] already exists")
        if self.is_stream(name):
            raise Refused(400, "illegal_argument_exception", f"cannot create index with name [{name}], because it matches with template that creates data streams only")
        self._make_index(name, body or {})
        return name

    def _make_index(self, name, body, template=None):
        template = (self.template_for(name) if template is None else template).get("template", {})
        self.indices[name] = _Index(name, body.get("mappings") or template.get("mappings"))
        for alias, options in {**template.get("aliases", {}), **body.get("aliases", {})}.items():
            self.aliases.setdefault(alias, {})[name] = options.get("is_write_index", False)

    def roll_over(self, name):
        """A new backing index for a data stream, or the next one behind an alias. Gives its name."""
        if name in self.streams:
            return self._new_backing(name)
        old = self._write_index_of(name)
        stem, _, number = old.rpartition("-")
        new = f"{stem}-{int(number) + 1:06d}"
        self._make_index(new, {})
        self.aliases[name] = {**{index: False for index in self.aliases[name]}, new: True}
        return new

    def _new_backing(self, stream):
        backing = self.streams.setdefault(stream, [])
        name = f".ds-{stream}-{len(backing) + 1:06d}"
        template = self.template_for(stream)
        self._make_index(name, {}, template)
        backing.append(name)
        return name

    def _write_index_of(self, alias):
        targets = self.aliases[alias]
        writable = [name for name, write in targets.items() if write] or (list(targets) if len(targets) == 1 else [])
        if len(writable) != 1:
            raise Refused(400, "illegal_argument_exception", f"no write index is defined for alias [{alias}]")
        return writable[0]

    # --- Documents.

    def _target(self, item):
        """The index that an item is to be written to; made if need be."""
        name = item.index
        if item.meta.get("require_alias") and name not in self.aliases:
            reason = f"no such index [{name}] and [require_alias] request flag is [true] and [{name}] is not an alias"
            raise Refused(404, "index_not_found_exception", reason)
        if name in self.aliases:
            return self.indices[self._write_index_of(name)]
        if self.is_stream(name):
            if item.action != "create":
                reason = "only write ops with an op_type of create are allowed in data streams"
                raise Refused(400, "illegal_argument_exception", reason)
            check_index_name(name)
            return self.indices[self.streams[name][-1] if name in self.streams else self._new_backing(name)]
        if name not in self.indices:
            check_index_name(name)
            if not self.auto_create or item.action == "delete":
                raise Refused(404, "index_not_found_exception", f"no such index [{name}]")
            self._make_index(name, {})
        return self.indices[name]

    def apply(self, item):
        """Does what the item says: (status, result, document)."""
        if item.id == "":
            raise Refused(400, "illegal_argument_exception", "if _id is specified it must not be empty")
        if item.pipeline and item.pipeline != "_none" and item.pipeline not in self.pipelines:
            raise Refused(400, "illegal_argument_exception", f"pipeline with id [{item.pipeline}] does not exist")
        index = self._target(item)
        if item.action == "delete":
            document = index.documents.pop(item.id, None)
            gone = document or Document(index.name, item.id, None, None)
            return (200, "deleted", gone) if document else (404, "not_found", gone)
        source = item.document
        present = index.documents.get(item.id)
        if item.action == "update":
            if present is None:
                raise Refused(404, "document_missing_exception", f"[{item.id}]: document missing")
            source = {**present.source, **source.get("doc", {})}
        if present is not None and item.action == "create":
            reason = f"[{item.id}]: version conflict, document already exists (current version [{present.version}])"
            raise Refused(409, "version_conflict_engine_exception", reason)
        if self.is_stream(item.index) and not isinstance(source.get("@timestamp"), (str, int)):
            reason = "data stream timestamp field [@timestamp] is missing"
            raise Refused(400, "mapper_parsing_exception", reason)
        index.mapping.take(source)
        return self._put(index, item.id, source)

    def _put(self, index, identity, source):
        if identity is None:
            self._made_ids += 1
            identity = f"made-{self._made_ids:08d}"
        self._orders += 1
        document = Document(index.name, identity, source, self._orders)
        present = index.documents.get(identity)
        if present is not None:
            document.version = present.version + 1
        index.documents[identity] = document
        return (201, "created", document) if present is None else (200, "updated", document)

    def documents(self, name="*"):
        """Those of an index, alias, data stream or pattern of such names, in the order in which they came."""
        names = set()
        for each in name.split(","):
            for stream, backing in self.streams.items():
                if fnmatch.fnmatchcase(stream, each):
                    names.update(backing)
            for alias, targets in self.aliases.items():
                if fnmatch.fnmatchcase(alias, each):
                    names.update(targets)
            names.update(index for index in self.indices if fnmatch.fnmatchcase(index, each))
        found = [document for index in names for document in self.indices[index].documents.values()]
        return sorted(found, key=lambda document: document.order)
