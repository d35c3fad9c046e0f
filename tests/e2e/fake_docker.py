"""The API of a Docker daemon as a script says it: for what a real one does at the wrong moment only once in a
thousand times. Containers are folders with a json-file log, as the real one keeps them."""

import http.server
import json
import pathlib
import queue
import shutil
import socketserver
import threading
import urllib.parse


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass  # A client that hangs up.


class FakeDocker:
    """Listens on a socket in `directory` until close(). `refuse` is asked with each path and gives a status to answer
    with, or None."""

    def __init__(self, directory):
        self.root = pathlib.Path(directory) / "docker-root"
        (self.root / "containers").mkdir(parents=True)
        self.socket = pathlib.Path(directory) / "docker.sock"
        self.host = f"unix://{self.socket}"
        self.refuse = lambda path: None
        self.lock = threading.Lock()
        self.containers = {}  # What is known, by id: as GET /containers/ID/json has it.
        self.inspected = threading.Event()  # Somebody has asked for a container.
        self.answer = threading.Event()  # Until then nobody gets an answer to that.
        self.answer.set()
        self._followers = []
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                fake._serve(self)

            def log_message(self, *args):
                pass

            def address_string(self):
                return "unix"

        self._server = _Server(str(self.socket), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self.answer.set()
        self._server.shutdown()
        self._server.server_close()
        for each in self._followers:
            each.put(None)

    def log_path(self, container):
        return self.root / "containers" / container / f"{container}-json.log"

    def create(self, container, name, labels=None):
        """Its folder and the event."""
        with self.lock:
            self.containers[container] = {
                "Id": container,
                "Name": f"/{name}",
                "Config": {"Labels": labels or {}, "Tty": False},
                "HostConfig": {"LogConfig": {"Type": "json-file"}, "NetworkMode": "none"},
                "State": {"Status": "created"},
                "LogPath": "",
                "NetworkSettings": {"Networks": {}, "Ports": {}},
            }
        self.log_path(container).parent.mkdir()
        self.event("create", container, {"name": name, "image": "test", **(labels or {})})

    def begin(self, container):
        """It runs from now on."""
        with self.lock:
            self.containers[container]["State"]["Status"] = "running"
            self.containers[container]["LogPath"] = str(self.log_path(container))
        self.event("start", container)

    def write(self, container, *lines):
        with open(self.log_path(container), "a") as log:
            for number, line in enumerate(lines):
                stamp = f"2026-05-04T09:12:03.{number:09d}Z"
                log.write(json.dumps({"log": line + "\n", "stream": "stdout", "time": stamp}) + "\n")

    def remove(self, container, known=False):
        """Its folder; and, unless it stays known as one that has ended, the container as well."""
        shutil.rmtree(self.log_path(container).parent)
        with self.lock:
            if known:
                self.containers[container]["State"]["Status"] = "exited"
                self.containers[container]["LogPath"] = str(self.log_path(container))
            else:
                del self.containers[container]

    def event(self, action, container, attributes=None):
        event = {"Type": "container", "Action": action, "Actor": {"ID": container, "Attributes": attributes or {}}}
        for each in self._followers:
            each.put(event)

    def following(self):
        return len(self._followers)

    def _serve(self, request):
        path = urllib.parse.urlsplit(request.path).path
        status = self.refuse(path)
        if status is not None:
            self._answer(request, status, {"message": "refused"})
        elif path == "/events":
            self._follow(request)
        elif path == "/info":
            self._answer(request, 200, {"DockerRootDir": str(self.root)})
        elif path == "/networks":
            self._answer(request, 200, [])
        elif path == "/containers/json":
            with self.lock:
                listed = [
                    {"Id": each["Id"], "Names": [each["Name"]], "State": each["State"]["Status"], "Labels": {}}
                    for each in self.containers.values()
                ]
            self._answer(request, 200, listed)
        else:
            self.inspected.set()
            self.answer.wait()
            with self.lock:
                found = self.containers.get(path.split("/")[2])
            self._answer(request, 200 if found else 404, found or {"message": "no such container"})

    @staticmethod
    def _answer(request, status, body):
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _follow(self, request):
        events = queue.Queue()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.flush()
        self._followers.append(events)
        while (event := events.get()) is not None:
            data = json.dumps(event).encode() + b"\n"
            request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            request.wfile.flush()
        request.close_connection = True
