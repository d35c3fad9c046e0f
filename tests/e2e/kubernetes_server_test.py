#!/usr/bin/env python3
"""kubernetes_sd_configs against a real API server: rights, selectors, lists and watches of every role."""

import json
import pathlib
import shutil
import tempfile

import harness
import kube
from harness import wait_until
from kube_bed import KubernetesTestCase
from kube_server import KubeServer

PODS = "/api/v1/namespaces/default/pods"


class RealServerTest(KubernetesTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-kube-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.server = KubeServer(cls.place)
        cls.addClassCleanup(cls.server.close)

    def access(self, **more):
        return {
            "authorization": {"credentials": self.server.AGENT},
            "tls_config": {"ca_file": str(self.server.authority)},
            **more,
        }

    def make_pod(self, name, node="node-1", **labels):
        obj = kube.pod(name, node=node, labels=labels)
        status = obj.pop("status")
        del obj["metadata"]["uid"]
        obj["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
        made = self.server.make(PODS, obj)
        self.addCleanup(self.server.call, "DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 0})
        self.server.patch(f"{PODS}/{name}/status", {"status": status})
        return made

    def test_pods_with_their_rights(self):
        first = self.make_pod("first", app="shop")
        self.kubelet.log(first, "first 1")
        self.kubelet.log(self.make_pod("elsewhere", node="node-2"), "elsewhere")
        self.kubelet.log(self.make_pod("hidden", tier="hidden"), "hidden")
        selectors = [{"role": "pod", "label": "tier!=hidden"}]
        config = self.config(self.server.url, **self.access(selectors=selectors))
        agent = self.run_agent(config)
        wait_until("it is told of the missing right", lambda: 'pods is forbidden: User \\"agent\\" cannot list' in agent.log())
        self.assertEqual(agent.metrics().sum("agent_kubernetes_api_up"), 0)

        self.server.allow("log-agent", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}])
        self.wait_lines("first 1", timeout=60)
        self.assertEqual(self.labels("first 1")["app"], "shop")

        # The watch: a pod comes, changes, goes.
        second = self.make_pod("second", app="blue")
        self.kubelet.log(second, "second 1")
        self.wait_lines("first 1", "second 1")
        self.server.patch(f"{PODS}/second", {"metadata": {"labels": {"app": "green"}}})
        apps = lambda: {t["labels"].get("app") for t in self.discovered(agent)["targets"]}
        wait_until("its label has changed", lambda: "green" in apps())
        self.kubelet.log(second, "second 2")
        self.wait_lines("first 1", "second 1", "second 2")
        self.assertEqual(self.labels("second 2")["app"], "green")
        self.server.delete(f"{PODS}/second")
        self.kubelet.log(second, "second 3")
        wait_until("the server's pod is gone", lambda: agent.metrics().sum("agent_kubernetes_objects") == 1)
        self.wait_lines("first 1", "second 1", "second 2", "second 3")
        self.kubelet.remove(second)
        self.end(agent)

    def test_the_other_roles(self):
        self.server.allow("log-agent-all", [
            {"apiGroups": ["", "discovery.k8s.io", "networking.k8s.io"], "verbs": ["list", "watch"],
             "resources": ["pods", "nodes", "namespaces", "services", "endpoints", "endpointslices", "ingresses"]},
        ])  # fmt: skip
        self.make_pod("web", app="web")
        self.server.make("/api/v1/nodes", {"metadata": {"name": "node-1", "labels": {"zone": "a"}}})
        self.server.patch("/api/v1/nodes/node-1/status", {"status": {"addresses": [{"type": "InternalIP", "address": "192.168.1.5"}]}})
        self.server.make("/api/v1/namespaces/default/services", {
            "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        })  # fmt: skip
        target = {"kind": "Pod", "name": "web", "namespace": "default"}
        self.server.make("/api/v1/namespaces/default/endpoints", {
            "metadata": {"name": "web"},
            "subsets": [{"addresses": [{"ip": "10.0.0.7", "nodeName": "node-1", "targetRef": target}], "ports": [{"name": "http", "port": 8080}]}],
        })  # fmt: skip
        self.server.make("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
            "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}}, "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.7"], "conditions": {"ready": True}, "nodeName": "node-1", "targetRef": target}],
            "ports": [{"name": "http", "port": 8080}],
        })  # fmt: skip
        self.server.make("/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
            "metadata": {"name": "web"},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": "web.example", "http": {"paths": [
                {"path": "/api", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]},
        })  # fmt: skip
        wanted = {
            "pod": ("10.0.0.7:8080", {"pod_name": "web", "node_label_zone": "a", "namespace_label_kubernetes_io_metadata_name": "default"}),
            "node": ("192.168.1.5:0", {"node_name": "node-1", "node_address_InternalIP": "192.168.1.5"}),
            "service": ("web.default.svc:80", {"service_name": "web", "service_type": "ClusterIP"}),
            "endpoints": ("10.0.0.7:8080", {"endpoints_name": "web", "pod_label_app": "web", "service_name": "web", "node_name": "node-1"}),
            "endpointslice": ("10.0.0.7:8080", {"endpointslice_name": "web-1", "pod_label_app": "web", "service_name": "web"}),
            "ingress": ("web.example", {"ingress_path": "/api", "ingress_class_name": "nginx", "ingress_scheme": "http"}),
        }  # fmt: skip
        everything = [{"target_label": "__path__", "replacement": str(self.dir / "none.log")}, {"action": "labelmap", "regex": "__meta_kubernetes_(.+)", "replacement": "m_$1"}]
        config = self.config(self.server.url, everything)
        pods = config["scrape_configs"][0]
        config["scrape_configs"] = []
        for role in wanted:
            sd = {"role": role, "api_server": self.server.url, "attach_metadata": {"node": True, "namespace": True}, **self.access()}
            config["scrape_configs"].append({**pods, "job_name": role, "kubernetes_sd_configs": [sd]})
        agent = self.run_agent(config)
        wait_until("the page is there", lambda: agent.get("/service-discovery")[0] == 200)

        def found():
            jobs = json.loads(agent.get("/service-discovery?format=json")[1])["jobs"]
            return {job["name"]: [t["discovered_labels"] for t in job["targets"]] for job in jobs}

        def fits(labels, address, more):
            return labels["__address__"] == address and all(labels.get(f"__meta_kubernetes_{k}") == v for k, v in more.items())

        for role, (address, more) in wanted.items():
            wait_until(lambda r=role: f"{r}: {found()[r]}",
                       lambda r=role, a=address, m=more: any(fits(labels, a, m) for labels in found()[r]))  # fmt: skip
        self.assertEqual(agent.metrics().sum("agent_kubernetes_api_up"), len(wanted))
        self.end(agent)


if __name__ == "__main__":
    harness.main()
