"""An agent that reads a kubelet's folders and asks an API server: what the tests of kubernetes_sd_configs share."""

import json
import os

import harness
import kube
from harness import base_config, wait_until

HELM_RULES = [
    {"source_labels": ["__meta_kubernetes_pod_controller_name"], "regex": "([0-9a-z-.]+?)(-[0-9a-f]{8,10})?",
     "action": "replace", "target_label": "__tmp_controller_name"},
    {"source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_name", "__meta_kubernetes_pod_label_app",
                       "__tmp_controller_name", "__meta_kubernetes_pod_name"],
     "regex": "^;*([^;]+)(;.*)?$", "action": "replace", "target_label": "app"},
    {"source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_instance", "__meta_kubernetes_pod_label_instance"],
     "regex": "^;*([^;]+)(;.*)?$", "action": "replace", "target_label": "instance"},
    {"source_labels": ["__meta_kubernetes_pod_node_name"], "action": "replace", "target_label": "node_name"},
    {"source_labels": ["__meta_kubernetes_namespace"], "action": "replace", "target_label": "namespace"},
    {"source_labels": ["namespace", "app"], "separator": "/", "action": "replace", "replacement": "$1", "target_label": "job"},
    {"source_labels": ["__meta_kubernetes_pod_name"], "action": "replace", "target_label": "pod"},
    {"source_labels": ["__meta_kubernetes_pod_container_name"], "action": "replace", "target_label": "container"},
]  # fmt: skip


def path_rules(logs):
    """The last two rules of the chart, for logs that are elsewhere."""
    return [
        {"source_labels": ["__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"], "separator": "/",
         "replacement": f"{logs}/*$1/*.log", "target_label": "__path__"},
        {"source_labels": ["__meta_kubernetes_pod_annotationpresent_kubernetes_io_config_hash",
                           "__meta_kubernetes_pod_annotation_kubernetes_io_config_hash",
                           "__meta_kubernetes_pod_container_name"],
         "separator": "/", "regex": "true/(.*)", "replacement": f"{logs}/*$1/*.log", "target_label": "__path__"},
    ]  # fmt: skip


class KubernetesTestCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.kubelet = kube.Kubelet(self.dir)
        self.receiver = self.sink()

    def fake(self, **more):
        fake = kube.FakeKube(**more)
        self.addCleanup(lambda: fake.server and fake.close())
        return fake

    def config(self, url, rules=None, **sd):
        job = {
            "job_name": "pods",
            "pipeline_stages": [{"cri": {}}],
            "kubernetes_sd_configs": [{"role": "pod", "pod_logs_path": str(self.kubelet.path), "api_server": url, **sd}],
            "relabel_configs": HELM_RULES + path_rules(self.kubelet.path) if rules is None else rules,
        }
        if url is None:
            del job["kubernetes_sd_configs"][0]["api_server"]
        return base_config(self.dir, self.receiver.url, [job])

    def run_agent(self, config, **environment):
        return self.start(config, env={"NODE_NAME": "node-1", **environment})

    def wait_lines(self, *lines, timeout=30):
        want = sorted(lines)
        wait_until(lambda: f"{sorted(self.receiver.lines())}, wanted {want}",
                   lambda: sorted(self.receiver.lines()) == want, timeout)  # fmt: skip

    def labels(self, line):
        return next(entry.labels for entry in self.receiver.taken() if entry.line == line)

    def discovered(self, agent):
        return json.loads(agent.get("/service-discovery?format=json")[1])["jobs"][0]

    def is_read(self, agent, path):
        """The agent has begun to read it, and keeps it open: from then on nothing that happens to its folder can lose it."""
        jobs = json.loads(agent.get("/targets?format=json")[1])["jobs"]
        files = [file for job in jobs for target in job["targets"] for file in target["files"]]
        return any(file["path"] == str(path) and file["read_bytes"] > 0 for file in files)

    def is_open(self, agent, path):
        """The agent has it open, as it does with logs that wait for their labels. One that is read is also opened, and closed
        again, when it is found: see is_read()."""
        folder = f"/proc/{agent.process.pid}/fd"
        for each in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{each}").removesuffix(" (deleted)") == str(path):
                    return True
            except OSError:
                pass
        return False

    def problems(self, agent):
        """What the page says that is wrong."""
        return agent.get("/service-discovery")[1]

    def end(self, agent):
        self.assertEqual(agent.stop()[0], 0)
