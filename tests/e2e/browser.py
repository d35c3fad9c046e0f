"""A headless Chromium, driven through its debugging pipe: opens pages at a size and in a colour scheme, asks
them things, takes pictures."""

import base64
import json
import os
import shutil
import subprocess
import unittest

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


def find():
    """The program; skips the test, in one clear line, where there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    message = "no Chromium here: tests/packages.sh test installs it"
    if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
        raise AssertionError(message)
    raise unittest.SkipTest(message)


class Browser:
    """One page. `directory` is for its profile."""

    def __init__(self, directory):
        path = find()
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        # Chromium reads descriptor 3 and writes 4.
        launcher = 'exec "$0" "$@" 3<&{} 4>&{}'.format(read_commands, write_answers)
        self.process = subprocess.Popen(
            ["bash", "-c", launcher, path, *OPTIONS, f"--user-data-dir={directory}", "about:blank"],
            pass_fds=(read_commands, write_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._number = 0
        self._buffer = b""
        self._events = []
        self._session = None
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self._call("Page.enable")

    def _message(self):
        while b"\0" not in self._buffer:
            piece = os.read(self._answers, 1 << 16)
            if not piece:
                raise AssertionError("the browser has ended")
            self._buffer += piece
        text, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(text)

    def _call(self, method, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._events.append(answer.get("method"))

    def _wait_loaded(self):
        while "Page.loadEventFired" not in self._events:
            self._events.append(self._message().get("method"))

    def look(self, width, height=900, dark=False):
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)

    def disable_scripts(self):
        self._call("Emulation.setScriptExecutionDisabled", value=True)

    def open(self, url):
        self._events.clear()
        self._call("Page.navigate", url=url)
        self._wait_loaded()

    def ask(self, expression):
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def submit(self, expression):
        """Something that leads to another page, such as a click on a button."""
        self._events.clear()
        self.ask(expression)
        self._wait_loaded()

    def picture(self, path):
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1}
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._commands)
        os.close(self._answers)
