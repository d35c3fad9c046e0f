"""The end points of the strict bulk sink beside _bulk: what the product is, and templates, policies, aliases,
indices, pipelines and counts."""

import json

from bulk_rules import Refused


def answer_setup(sink, request):
    """(status, body, headers) as a healthy server of that product has them."""
    headers = {"Content-Type": "application/json"}
    try:
        status, reply = _route(sink, request, request.parts)
    except json.JSONDecodeError as error:
        raise Refused(400, "parse_exception", str(error)) from None
    return status, json.dumps(reply).encode(), headers


def _route(sink, request, parts):
    if not parts:
        return 200, _product(sink)
    head = parts[0]
    store = sink.store
    opensearch = bool(sink.distribution)
    kept = {"_index_template": store.templates, "_ingest/pipeline": store.pipelines}
    kept["_plugins/_ism/policies" if opensearch else "_ilm/policy"] = store.policies
    for path, objects in kept.items():
        names = path.split("/")
        if parts[: len(names)] == names and len(parts) == len(names) + 1:
            return _keep(request, names[-1], objects, parts[-1])
    if head == "_license" and not opensearch:
        return 200, {"license": {"status": "active", "type": "basic", "mode": "basic"}}
    if head == "_alias" and len(parts) == 2:
        found = {index: {"aliases": {parts[1]: {}}} for index in store.aliases.get(parts[1], {})}
        return (200, found) if found else (404, {"error": f"alias [{parts[1]}] missing", "status": 404})
    if head == "_data_stream" and len(parts) == 2:
        return _data_stream(store, request, parts[1])
    if not head.startswith("_"):
        return _index(store, request, parts)
    reason = f"no handler found for uri [{request.path}] and method [{request.method}]"
    raise Refused(400, "illegal_argument_exception", reason)


def _product(sink):
    version = {"number": sink.version, "build_hash": "0" * 40, "lucene_version": "9.12.0"}
    tagline = "You Know, for Search"
    if sink.distribution:
        version["distribution"] = sink.distribution
        tagline = "The OpenSearch Project: https://opensearch.org/"
    else:
        version["build_flavor"] = "default"
    return {"name": "node", "cluster_name": "strict", "cluster_uuid": "AAAAAAAAAAAAAAAAAAAAAA", "version": version, "tagline": tagline}


def _keep(request, kind, objects, name):
    if request.method == "PUT":
        if not isinstance(request.json(), dict):
            raise Refused(400, "parse_exception", "an object is expected")
        known = name in objects
        if known and request.query.get("create") == "true":
            reason = f"index template [{name}] already exists"
            return 400, {"error": {"type": "illegal_argument_exception", "reason": reason}, "status": 400}
        objects[name] = request.json()
        return (200 if known or kind != "policies" else 201), {"acknowledged": True}
    if request.method == "DELETE":
        return (200, {"acknowledged": True}) if objects.pop(name, None) else (404, {"status": 404})
    if name not in objects:
        return 404, {"error": {"type": "resource_not_found_exception", "reason": f"[{name}] is missing"}, "status": 404}
    if kind == "_index_template":
        return 200, {"index_templates": [{"name": name, "index_template": objects[name]}]}
    return 200, {name: objects[name]}


def _data_stream(store, request, name):
    if request.method == "PUT":
        if "data_stream" not in store.template_for(name):
            raise Refused(400, "illegal_argument_exception", f"no matching index template found for data stream [{name}]")
        if name in store.streams:
            raise Refused(400, "resource_already_exists_exception", f"data_stream [{name}] already exists")
        store._new_backing(name)
        return 200, {"acknowledged": True}
    if name not in store.streams:
        return 404, {"error": {"type": "index_not_found_exception", "reason": f"no such index [{name}]"}, "status": 404}
    return 200, {"data_streams": [{"name": name, "indices": [{"index_name": each} for each in store.streams[name]]}]}


def _index(store, request, parts):
    name = parts[0]
    known = name in store.indices or name in store.aliases or name in store.streams
    missing = 404, {"error": {"type": "index_not_found_exception", "reason": f"no such index [{name}]"}, "status": 404}
    if len(parts) == 1 and request.method == "PUT":
        try:
            made = store.create_index(name, request.json())
        except Refused as refused:
            # Another client may have been first: that is no violation.
            return refused.status, {"error": {"type": refused.kind, "reason": refused.reason}, "status": refused.status}
        return 200, {"acknowledged": True, "shards_acknowledged": True, "index": made}
    if len(parts) == 1 and request.method in ("GET", "HEAD"):
        return (200, {name: {}}) if known else missing
    if len(parts) == 3 and parts[1] == "_alias" and request.method == "PUT":
        if name not in store.indices:
            return missing
        store.aliases.setdefault(parts[2], {})[name] = request.json().get("is_write_index", False)
        return 200, {"acknowledged": True}
    if parts[1:] == ["_rollover"] and request.method == "POST":
        return (200, {"rolled_over": True, "new_index": store.roll_over(name)}) if known else missing
    if parts[1:] == ["_count"]:
        return (200, {"count": len(store.documents(name))}) if known else missing
    reason = f"no handler found for uri [{request.path}] and method [{request.method}]"
    raise Refused(400, "illegal_argument_exception", reason)
