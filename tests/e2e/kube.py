"""A Kubernetes API server of our own, for what a healthy one never does, and the kubelet's folders beside it.
Objects come and go by put() and delete(); watches are told. A test can make it forget versions, cut watches in
the middle of an event, refuse, stall, answer nonsense, and be away."""

import copy
import http.server
import json
import os
import pathlib
import ssl
import threading
import urllib.parse
import uuid

from ports import free_port

PLURALS = {
    "pods": "Pod",
    "nodes": "Node",
    "namespaces": "Namespace",
    "services": "Service",
    "endpoints": "Endpoints",
    "endpointslices": "EndpointSlice",
    "ingresses": "Ingress",
}


def field(obj, path):
    for part in path.split("."):
        obj = obj.get(part, {}) if isinstance(obj, dict) else {}
    return obj if isinstance(obj, str) else ""


def selects(obj, query):
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        name, _, value = term.partition("=")
        if field(obj, name) != value:
            return False
    labels = obj["metadata"].get("labels", {})
    for term in filter(None, query.get("labelSelector", "").split(",")):
        name, _, value = term.partition("=")
        if labels.get(name) != value:
            return False
    return True


class FakeKube:
    def __init__(self, port=0, tokens=None, certificate=None):
        self.tokens = tokens  # Those that are let in; None: everybody.
        self.certificate = certificate  # (cert, key): it speaks TLS.
        self.lock = threading.Condition(threading.RLock())
        self.version = 100
        self.floor = 0  # Versions up to here are forgotten.
        self.objects = {}  # (plural, namespace, name): object
        self.history = []  # (version, type, plural, object)
        self.requests = []  # (path, query, token)
        self.epoch = 0  # Watches of an earlier one end.
        self.cut = False  # ... in the middle of an event.
        self.page = 500
        # Called with (path, query) before anything else: None, or (status, headers, body).
        self.plan = lambda path, query: None
        self.port = port
        self.server = None
        self.open()

    # --- Being there.

    def open(self):
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                try:
                    fake.answer(self)
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    self.close_connection = True

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", self.port or free_port()), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, self.certificate))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def close(self):
        """Goes away; open watches break off."""
        with self.lock:
            self.epoch += 1
            self.cut = True
            self.lock.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def break_watches(self, in_an_event=False):
        with self.lock:
            self.epoch += 1
            self.cut = in_an_event
            self.lock.notify_all()

    def forget(self):
        """Every version until now is too old to go on from."""
        with self.lock:
            self.version += 1
            self.floor = self.version
            self.history.clear()

    # --- Objects.

    def put(self, plural, obj):
        with self.lock:
            meta = obj["metadata"]
            key = (plural, meta.get("namespace", ""), meta["name"])
            kind = "MODIFIED" if key in self.objects else "ADDED"
            self.version += 1
            meta["resourceVersion"] = str(self.version)
            self.objects[key] = obj
            self.history.append((self.version, kind, plural, copy.deepcopy(obj)))
            self.lock.notify_all()

    def delete(self, plural, name, namespace="default"):
        with self.lock:
            obj = self.objects.pop((plural, namespace, name))
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            self.history.append((self.version, "DELETED", plural, obj))
            self.lock.notify_all()

    def count(self, watch=None, plural="pods"):
        """Requests so far."""
        with self.lock:
            return sum(
                path.endswith("/" + plural) and (watch is None or ("watch" in query) == watch)
                for path, query, _ in self.requests
            )

    # --- Answers.

    def answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self.lock:
            self.requests.append((url.path, query, token))
        planned = self.plan(url.path, query)
        if planned:
            return self.send(request, *planned)
        if self.tokens is not None and token not in self.tokens:
            return self.status(request, 401, "Unauthorized")
        parts = url.path.strip("/").split("/")
        plural = parts[-1]
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None
        if plural not in PLURALS:
            return self.status(request, 404, "the server could not find the requested resource")
        if "watch" in query:
            return self.watch(request, plural, namespace, query)
        return self.list(request, plural, namespace, query)

    def send(self, request, status, headers, body):
        body = body if isinstance(body, bytes) else body.encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if "Content-Length" not in headers:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def status(self, request, code, message, headers=None):
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
        self.send(request, code, headers or {}, json.dumps(body))

    def list(self, request, plural, namespace, query):
        with self.lock:
            items = [
                obj
                for (kind, ns, _), obj in sorted(self.objects.items())
                if kind == plural and namespace in (None, ns) and selects(obj, query)
            ]
            begin = int(query.get("continue", "0"))
            end = begin + min(self.page, int(query.get("limit", self.page)))
            meta = {"resourceVersion": str(self.version)}
            if end < len(items):
                meta["continue"] = str(end)
            body = json.dumps({"kind": PLURALS[plural] + "List", "metadata": meta, "items": items[begin:end]})
        self.send(request, 200, {"Content-Type": "application/json"}, body)

    def watch(self, request, plural, namespace, query):
        version = int(query.get("resourceVersion", "0"))
        with self.lock:
            epoch = self.epoch
            if version < self.floor:
                status = {"kind": "Status", "code": 410, "message": f"too old resource version: {version}"}
                events = [json.dumps({"type": "ERROR", "object": status})]
            else:
                events = None
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        if events:
            self.chunk(request, events[0] + "\n")
            return self.chunk(request, "")
        marked = version
        while True:
            with self.lock:
                found = [e for e in self.history if e[0] > version and e[2] == plural]
                if not found and self.epoch == epoch:
                    self.lock.wait(0.5)
                    found = [e for e in self.history if e[0] > version and e[2] == plural]
                    if not found and self.epoch == epoch:
                        if query.get("allowWatchBookmarks") == "true" and self.version > marked:
                            version = marked = self.version
                            mark = {"metadata": {"resourceVersion": str(version)}}
                            self.chunk(request, json.dumps({"type": "BOOKMARK", "object": mark}) + "\n")
                        continue
                ended, cut = self.epoch != epoch, self.cut
            for number, kind, _, obj in found:
                version = number
                if namespace not in (None, obj["metadata"].get("namespace", "")) or not selects(obj, query):
                    continue
                text = json.dumps({"type": kind, "object": obj}) + "\n"
                if ended and cut:
                    self.chunk(request, text[: len(text) // 2])
                    request.close_connection = True
                    request.connection.close()
                    return None
                self.chunk(request, text)
            if ended:
                return self.chunk(request, "")

    @staticmethod
    def chunk(request, text):
        data = text.encode()
        request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        request.wfile.flush()


def pod(name, node="node-1", namespace="default", labels=None, annotations=None, uid=None, containers=("main",), **more):
    """A running pod; `more` goes into its containers."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{namespace}/{name}")),
            "labels": labels or {},
            "annotations": annotations or {},
        },
        "spec": {"nodeName": node, "containers": [{"name": each, "image": "busybox", **more} for each in containers]},
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.7",
            "hostIP": "192.168.1.5",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": each, "containerID": f"containerd://{each}"} for each in containers],
        },
    }


class Kubelet:
    """/var/log/pods of a node."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "pods"
        self.path.mkdir()

    def folder(self, obj, container="main", uid=None):
        meta = obj["metadata"]
        return self.path / f"{meta['namespace']}_{meta['name']}_{uid or meta['uid']}" / container

    def log(self, obj, *lines, container="main", number=0, uid=None):
        """Appends lines as containerd writes them."""
        folder = self.folder(obj, container, uid)
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / f"{number}.log", "ab") as file:
            for line in lines:
                file.write(f"2026-05-04T09:12:03.418Z stdout F {line}\n".encode())
        return folder / f"{number}.log"

    def remove(self, obj):
        """As when a pod is deleted: files first."""
        top = self.folder(obj).parent
        for path in sorted(top.rglob("*"), key=lambda each: -len(each.parts)):
            path.rmdir() if path.is_dir() and not path.is_symlink() else os.unlink(path)
        top.rmdir()
