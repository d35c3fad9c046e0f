"""Debian's nginx as a reverse proxy with TLS before a receiver of ours: what it refuses, the receiver never sees."""

import os
import shutil
import subprocess
import unittest

from harness import free_port, wait_until

CONFIG = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log warn;
events {{}}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  limit_req_zone $server_name zone=push:1m rate={rate};
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name proxy;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    {client_authority}
    client_max_body_size {max_body};
    location / {{
      limit_req zone=push nodelay burst=1;
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class Nginx:
    """`upstream`: a port. `certificates`: of make_certificates(). `mutual`: the client must show one of its authority."""

    def __init__(self, directory, upstream, certificates, mutual=False, max_body="16m", rate="1000r/s"):
        binary = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if not binary:
            if os.environ.get("AGENT_REQUIRE_SERVERS") == "1":
                raise AssertionError("nginx is not there: tests/packages.sh test")
            raise unittest.SkipTest("nginx is not there: tests/packages.sh test")
        self.directory = directory / "nginx"
        self.directory.mkdir()
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        authority = f"ssl_client_certificate {certificates['ca.crt']}; ssl_verify_client on;"
        config = CONFIG.format(
            directory=self.directory,
            port=self.port,
            upstream=upstream,
            certificate=certificates["server.crt"],
            key=certificates["server.key"],
            client_authority=authority if mutual else "",
            max_body=max_body,
            rate=rate,
        )
        (self.directory / "nginx.conf").write_text(config)
        self._log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(
            [binary, "-p", str(self.directory), "-c", "nginx.conf", "-e", str(self.directory / "error.log")],
            stdout=self._log,
            stderr=self._log,
        )
        wait_until(self.errors, self._listens)

    def _listens(self):
        if self.process.poll() is not None:
            raise AssertionError((self.directory / "log").read_text() + self.errors())
        port = f":{self.port:04X} "
        return any(port in line and " 0A " in line for line in open("/proc/net/tcp"))

    def errors(self):
        path = self.directory / "error.log"
        return path.read_text() if path.exists() else ""

    def statuses(self):
        """Of all requests so far."""
        path = self.directory / "access.log"
        return [int(line.split('" ')[1].split()[0]) for line in path.read_text().splitlines()] if path.exists() else []

    def stop(self):
        self.process.kill()
        self.process.wait()
        self._log.close()
