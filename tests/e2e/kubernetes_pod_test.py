#!/usr/bin/env python3
"""A configuration for Promtail in Kubernetes, word for word, as it runs in a pod: folders, token and authority where
the kubelet puts them, in a mount namespace of the agent's own."""

import os
import re
import shutil
import subprocess
import unittest

import harness
from certificates import make_certificate
from kube import pod
from kube_bed import KubernetesTestCase

IN_A_POD = """
set -e
mount -t tmpfs none /var/log
mkdir /var/log/pods
mount --bind "$1" /var/log/pods
mount -t tmpfs none /run
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
mount --bind "$2" /var/run/secrets/kubernetes.io/serviceaccount
shift 2
exec "$@"
"""


def may_mount():
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/run"], capture_output=True).returncode == 0


@unittest.skipUnless(may_mount(), "a mount namespace needs root")
class PodTest(KubernetesTestCase):
    def test_a_configuration_for_promtail_runs_as_it_is(self):
        account = self.dir / "account"
        account.mkdir()
        certificate = make_certificate(self.dir, "api")
        shutil.copy(certificate[0], account / "ca.crt")
        (account / "token").write_text("let-me-in")
        (account / "namespace").write_text("logging")
        api = self.fake(tokens={"let-me-in"}, certificate=certificate)

        text = (harness.ROOT / "tests/agent/config/requirements/kubernetes.yaml").read_text()
        port = harness.free_port()
        for theirs, here in (
            ("/tmp/", f"{self.dir}/"),
            ("http://loki.logging.svc:3100/loki/api/v1/push", self.receiver.url),
            ("9080", str(port)),
        ):
            self.assertIn(theirs, text)
            text = text.replace(theirs, here)

        training = pod("train-1", labels={"app": "trainer", "job_type": "training", "model_name": "resnet"})
        other = pod("web-1", labels={"app": "web"})
        for each, line in ((training, "Epoch: 3, Loss: 0.25, Accuracy: 0.91"), (other, "hello")):
            api.put("pods", each)
            self.kubelet.log(each, line)
        environment = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": re.search(r":(\d+)", api.url).group(1),
            "NODE_NAME": "node-1",
        }
        agent = self.start(
            text,
            env=environment,
            prefix=["unshare", "-m", "sh", "-c", IN_A_POD, "sh", str(self.kubelet.path), str(account)],
        )
        agent.port = port
        entries = "2026-05-04T09:12:03.418Z stdout F "
        # Both jobs read the training pod; without a cri stage, as written, the line is the runtime's.
        train = entries + "Epoch: 3, Loss: 0.25, Accuracy: 0.91"
        self.wait_lines(train, train, entries + "hello")
        by_job = {len(entry.labels): entry.labels for entry in self.receiver.taken() if entry.line == train}
        self.assertIn({"app": "trainer", "namespace": "default", "pod": "train-1", "container": "main",
                       "job_type": "training", "model_name": "resnet"},
                      [{name: value for name, value in labels.items() if name != "filename"}
                       for labels in by_job.values()])  # fmt: skip
        self.end(agent)


if __name__ == "__main__":
    harness.main()
