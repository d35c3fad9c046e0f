#!/usr/bin/env python3
"""What deploy/kubernetes makes, rendered by the real Helm and kustomize, is taken by the real API server (a dry run, with every
unknown field an error), and its configuration by the agent. Values of Promtail's chart mean the same."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
import yaml
from harness import AGENT, HERE, ROOT, build_server
from kube_server import KubeServer

DEPLOY = ROOT / "deploy/kubernetes"
CHART = DEPLOY / "helm/log-agent"
VALUES = HERE / "promtail-values"

# Where objects of a kind live: API, plural, whether in a namespace.
KINDS = {
    "Namespace": ("api/v1", "namespaces", False),
    "ServiceAccount": ("api/v1", "serviceaccounts", True),
    "Secret": ("api/v1", "secrets", True),
    "ConfigMap": ("api/v1", "configmaps", True),
    "Service": ("api/v1", "services", True),
    "DaemonSet": ("apis/apps/v1", "daemonsets", True),
    "Deployment": ("apis/apps/v1", "deployments", True),
    "StatefulSet": ("apis/apps/v1", "statefulsets", True),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies", True),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "PodMonitor": ("apis/monitoring.coreos.com/v1", "podmonitors", True),
    "ServiceMonitor": ("apis/monitoring.coreos.com/v1", "servicemonitors", True),
    "PrometheusRule": ("apis/monitoring.coreos.com/v1", "prometheusrules", True),
    "VerticalPodAutoscaler": ("apis/autoscaling.k8s.io/v1", "verticalpodautoscalers", True),
}


def objects(text):
    return [one for one in yaml.safe_load_all(text) if one]


def only(all_objects, kind, name=None):
    found = [one for one in all_objects if one["kind"] == kind and (name is None or one["metadata"]["name"] == name)]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} of {kind} {name or ''}")
    return found[0]


def pod_of(all_objects, kind="DaemonSet"):
    return only(all_objects, kind)["spec"]["template"]["spec"]


def container_of(pod):
    return next(one for one in pod["containers"] if one["name"] == "log-agent")


def configuration(all_objects):
    """The text of agent.yaml, out of the volume that the agent mounts."""
    volume = next(one for one in pod_of(all_objects)["volumes"] if one["name"] == "config")
    if "secret" in volume:
        return only(all_objects, "Secret", volume["secret"]["secretName"])["stringData"]["agent.yaml"]
    return only(all_objects, "ConfigMap", volume["configMap"]["name"])["data"]["agent.yaml"]


class DeployKubernetesTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.helm, cls.kustomize, cls.promtail = (build_server(name) for name in ("helm", "kustomize", "promtail"))
        cls.crds = pathlib.Path(build_server("crds"))
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="log-agent-kube-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.server = KubeServer(cls.place)
        cls.addClassCleanup(cls.server.close)
        cls.server.make("/api/v1/namespaces", {"metadata": {"name": "logging"}})
        for path in sorted(cls.crds.glob("*.yaml")):
            for crd in objects(path.read_text()):
                cls.server.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        for kind in ("PodMonitor", "ServiceMonitor", "PrometheusRule", "VerticalPodAutoscaler"):
            api, plural, _ = KINDS[kind]
            harness.wait_until(kind, lambda: cls.server.call("GET", f"/{api}/{plural}")[0] == 200)

    def render(self, *values, fails=False, **settings):
        command = [self.helm, "template", "logs", str(CHART), "--namespace", "logging", "--kube-version", "v1.33.4"]
        for path in values:
            command += ["--values", str(path)]
        for key, value in settings.items():
            command += ["--set", f"{key.replace('__', '.')}={value}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if fails:
            self.assertNotEqual(result.returncode, 0)
            return result.stderr
        self.assertEqual(result.returncode, 0, result.stderr)
        return objects(result.stdout)

    def build(self, *resources, components=()):
        """kustomize over folders of deploy/kubernetes."""
        place = lambda name: os.path.relpath((DEPLOY / name).resolve(), self.dir.resolve())
        text = {"resources": [place(name) for name in resources], "components": [place(name) for name in components]}
        (self.dir / "kustomization.yaml").write_text(yaml.safe_dump(text))
        result = subprocess.run([self.kustomize, "build", str(self.dir)], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("deprecated", result.stderr)
        return objects(result.stdout)

    def check(self, all_objects):
        """The API server takes every object as it is, and the agent its configuration."""
        for one in all_objects:
            api, plural, inside = KINDS[one["kind"]]
            if inside:
                one["metadata"].setdefault("namespace", "logging")
                self.assertEqual(one["metadata"]["namespace"], "logging", one["metadata"]["name"])
            folder = f"namespaces/logging/{plural}" if inside else plural
            path = f"/{api}/{folder}/{one['metadata']['name']}?dryRun=All&fieldManager=test&fieldValidation=Strict&force=true"
            status, text = self.server.call("PATCH", path, one, "application/apply-patch+yaml")
            self.assertIn(status, (200, 201), f"{one['kind']} {one['metadata']['name']}: {text}")
        container = container_of(pod_of(all_objects))
        self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
        self.assertEqual(container["securityContext"]["capabilities"]["drop"], ["ALL"])
        return self.check_syntax(configuration(all_objects))

    def check_syntax(self, text, binary=AGENT):
        path = self.dir / "agent.yaml"
        path.write_text(text)
        environment = {**os.environ, "LOKI_PASSWORD": "secret"}
        result = subprocess.run([binary, f"-config.file={path}", "-config.expand-env=true", "-check-syntax"],
                                env=environment, capture_output=True, text=True, check=False)  # fmt: skip
        self.assertEqual(result.returncode, 0, f"{result.stdout}{result.stderr}\n{text}")
        self.assertNotIn("warning", result.stdout + result.stderr)
        return yaml.safe_load(text)

    def writable(self, pod):
        """Where the agent may write: host paths by mount path."""
        paths = {volume["name"]: volume["hostPath"]["path"] for volume in pod["volumes"] if "hostPath" in volume}
        mounts = container_of(pod)["volumeMounts"]
        return {one["mountPath"]: paths[one["name"]] for one in mounts if one["name"] in paths and not one.get("readOnly")}

    def rights(self, all_objects, kind="ClusterRole"):
        rules = only(all_objects, kind)["rules"]
        for rule in rules:
            self.assertEqual(rule["verbs"], ["list", "watch"])
        return {resource for rule in rules for resource in rule["resources"]}

    def test_helm_has_nothing_to_say_against_the_chart(self):
        values = [f"--values={path}" for path in sorted(VALUES.glob("*.yaml"))]
        for given in [[], *([one] for one in values)]:
            command = [self.helm, "lint", "--strict", "--kube-version", "v1.33.4", *given, str(CHART)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_chart_as_it_is(self):
        rendered = self.render()

        config = self.check(rendered)

        self.check_syntax(configuration(rendered), self.promtail)
        self.assertEqual([one["url"] for one in config["clients"]], ["http://loki-gateway/loki/api/v1/push"])
        self.assertEqual(self.rights(rendered), {"pods"})
        pod = pod_of(rendered)
        container = container_of(pod)
        self.assertEqual(container["resources"]["limits"], {"cpu": "100m", "memory": "128Mi"})
        self.assertEqual(container["resources"]["requests"], {"cpu": "25m", "memory": "64Mi"})
        self.assertEqual(pod["securityContext"]["runAsUser"], 0)
        self.assertEqual(container["securityContext"]["capabilities"]["add"], ["DAC_READ_SEARCH"])
        self.assertFalse(container["securityContext"]["allowPrivilegeEscalation"])
        self.assertEqual(container["readinessProbe"]["httpGet"]["path"], "/ready")
        self.assertEqual(self.writable(pod), {"/var/lib/log-agent": "/var/lib/log-agent"})
        self.assertEqual(config["positions"]["filename"], "/var/lib/log-agent/positions.yaml")
        self.assertNotIn("initContainers", pod)

    def test_the_profile_that_is_not_root(self):
        rendered = self.render(securityProfile="nonroot")

        self.check(rendered)

        pod = pod_of(rendered)
        security = container_of(pod)["securityContext"]
        self.assertEqual((pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]), (True, 10001))
        # Without it the kernel ignores the capability of the file.
        self.assertTrue(security["allowPrivilegeEscalation"])
        self.assertEqual(security["capabilities"]["add"], ["DAC_READ_SEARCH"])
        self.assertEqual(pod["initContainers"][0]["command"], ["chown", "10001:10001", "/var/lib/log-agent"])
        self.assertEqual(pod["initContainers"][0]["securityContext"]["capabilities"], {"drop": ["ALL"], "add": ["CHOWN"]})

    def test_a_profile_that_does_not_exist(self):
        self.assertIn("securityProfile: root or nonroot, not rot", self.render(securityProfile="rot", fails=True))

    def test_an_update_that_would_never_end_is_refused(self):
        said = self.render(fails=True, updateStrategy__rollingUpdate__maxSurge="1")
        self.assertIn("updateStrategy.rollingUpdate.maxSurge is 1", said)
        for allowed in ("0", "0%"):
            self.render(updateStrategy__rollingUpdate__maxSurge=allowed)

    def test_values_of_promtails_chart_for_a_gateway(self):
        rendered = self.render(VALUES / "gateway.yaml")

        config = self.check(rendered)

        self.check_syntax(configuration(rendered), self.promtail)
        client = config["clients"][0]
        self.assertEqual(client["tenant_id"], "team-ml-platform")
        self.assertEqual(client["external_labels"], {"cluster": "logging-eu-1"})
        job = config["scrape_configs"][0]
        self.assertEqual([next(iter(stage)) for stage in job["pipeline_stages"]],
                         ["cri", "json", "labels", "template", "match", "multiline"])  # fmt: skip
        self.assertEqual(job["pipeline_stages"][3]["template"]["template"], "{{ .Value | ToLower }}")
        self.assertEqual(job["relabel_configs"][-1]["action"], "drop")
        self.assertIn({"replacement": "kubernetes-pods", "target_label": "scrape_job"}, job["relabel_configs"])
        self.assertEqual(config["limits_config"]["readline_rate"], 10000)
        self.assertTrue(config["server"]["enable_runtime_reload"])
        self.assertEqual(config["server"]["log_level"], "warn")
        pod = pod_of(rendered)
        container = container_of(pod)
        self.assertEqual(container["args"][1:], ["-config.expand-env=true", "-client.external-labels=hostname=$(HOSTNAME)"])
        self.assertEqual(container["livenessProbe"], {"tcpSocket": {"port": "http-metrics"}})
        self.assertEqual(container["resources"]["limits"]["memory"], "128Mi")
        self.assertIn("LOKI_PASSWORD", [one["name"] for one in container["env"]])
        self.assertEqual(pod["tolerations"][-1], {"operator": "Exists"})
        self.assertEqual(only(rendered, "DaemonSet")["spec"]["updateStrategy"]["rollingUpdate"], {"maxUnavailable": 3})
        # What the ServiceMonitor selects is the Service, and what that selects are the pods.
        service = only(rendered, "Service")
        wanted = only(rendered, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
        self.assertLessEqual(wanted.items(), service["metadata"]["labels"].items())
        labels = only(rendered, "DaemonSet")["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(service["spec"]["selector"].items(), labels.items())
        self.assertEqual(labels["team"], "platform")

    def test_values_of_promtails_chart_with_everything(self):
        rendered = self.render(VALUES / "everything.yaml")

        config = self.check(rendered)

        self.assertEqual([job["job_name"] for job in config["scrape_configs"]],
                         ["kubernetes-pods", "syslog", "journal", "services", "nodes"])  # fmt: skip
        self.assertEqual(config["scrape_configs"][1]["syslog"]["listen_address"], "0.0.0.0:1514")
        # Where Promtail had its positions, they are found.
        pod = pod_of(rendered)
        self.assertEqual(self.writable(pod)["/run/promtail"], "/run/promtail")
        self.assertEqual(config["positions"]["filename"], "/run/promtail/positions.yaml")
        self.assertEqual(self.rights(rendered), {"pods", "nodes", "services", "endpoints"})
        container = container_of(pod)
        self.assertEqual(container["image"], "registry.example.com/platform/log-agent:1.2.3")
        self.assertEqual(container["readinessProbe"]["httpGet"]["path"], "/agent/ready")
        self.assertEqual(container["livenessProbe"]["httpGet"]["path"], "/agent/loglevel")
        self.assertEqual(container["securityContext"]["capabilities"]["add"], ["DAC_READ_SEARCH"])
        self.assertEqual({port["containerPort"] for port in container["ports"]}, {3102, 1514})
        self.assertEqual([one["name"] for one in pod["containers"]], ["log-agent", "exporter"])
        self.assertEqual(pod["initContainers"][0]["name"], "init")
        self.assertTrue(pod["hostNetwork"])
        self.assertEqual(pod["serviceAccountName"], "shipper")
        self.assertEqual(only(rendered, "Service", "logs-shipper-syslog")["spec"]["ports"][0]["targetPort"], "tcp-syslog")
        only(rendered, "NetworkPolicy")
        only(rendered, "ConfigMap", "logs-shipper-extra")

    def test_values_of_promtails_chart_with_a_whole_file(self):
        rendered = self.render(VALUES / "whole-file.yaml")

        self.check(rendered)

        self.assertEqual(only(rendered, "DaemonSet")["metadata"]["name"], "promtail")
        self.assertNotIn("livenessProbe", container_of(pod_of(rendered)))
        self.assertEqual(only(rendered, "VerticalPodAutoscaler")["spec"]["targetRef"]["name"], "promtail")

    def test_positions_decide_where_the_state_is(self):
        rendered = self.render(config__positions__filename="/run/promtail/positions.yaml")

        self.check(rendered)

        self.assertEqual(self.writable(pod_of(rendered)), {"/run/promtail": "/run/promtail"})

    def test_another_configuration_is_rolled_out(self):
        stamp = lambda rendered: only(rendered, "DaemonSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

        self.assertEqual(stamp(self.render()), stamp(self.render()))
        self.assertNotEqual(stamp(self.render()), stamp(self.render(config__logLevel="debug")))

    def test_elasticsearch_and_a_deployment(self):
        rendered = self.render(
            config__clients="null",
            **{"config__outputs[0]__name": "search", "config__outputs[0]__elasticsearch__hosts[0]": "http://es:9200"},
            deployment__enabled="true",
            podMonitor__enabled="true",
        )

        config = self.check(rendered)

        self.assertEqual(config["outputs"][0]["elasticsearch"]["hosts"], ["http://es:9200"])
        self.assertNotIn("clients", config)
        self.assertEqual(pod_of(rendered, "Deployment"), pod_of(rendered))
        only(rendered, "PodMonitor")

    def test_kustomize(self):
        for name in ("base", "overlays/minikube", "overlays/production"):
            with self.subTest(name):
                built = self.build(name)
                config = self.check(built)
                self.assertEqual(self.rights(built), {"pods"})
                pod = pod_of(built)
                self.assertEqual(container_of(pod)["resources"]["limits"], {"cpu": "100m", "memory": "128Mi"})
                folder = str(pathlib.Path(config["positions"]["filename"]).parent)
                self.assertEqual(self.writable(pod), {folder: folder})
                self.check_syntax(configuration(built), self.promtail)
        self.assertEqual(pod["priorityClassName"], "system-node-critical")
        monitor = only(built, "PodMonitor")["spec"]["selector"]["matchLabels"]
        self.assertLessEqual(monitor.items(), only(built, "DaemonSet")["spec"]["template"]["metadata"]["labels"].items())

    def test_kustomize_without_root(self):
        built = self.build("overlays/production", components=["components/nonroot"])

        self.check(built)

        security = container_of(pod_of(built))["securityContext"]
        self.assertEqual((security["runAsUser"], security["runAsNonRoot"], security["allowPrivilegeEscalation"]),
                         (10001, True, True))  # fmt: skip
        self.assertEqual(security["capabilities"]["add"], ["DAC_READ_SEARCH"])

    def test_the_loki_of_minikube_takes_its_configuration(self):
        config = next(one["data"]["loki-config.yaml"] for one in self.build("overlays/minikube")
                      if one["kind"] == "ConfigMap" and "loki-config.yaml" in one["data"])  # fmt: skip
        path = self.dir / "loki.yaml"
        path.write_text(config)
        result = subprocess.run([build_server("loki"), f"-config.file={path}", "-verify-config"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_rights_are_enough_and_no_more(self):
        for one in self.build("base"):
            if one["kind"] in ("ClusterRole", "ClusterRoleBinding"):
                self.server.make(f"/{KINDS[one['kind']][0]}/{KINDS[one['kind']][1]}", one)

        def may(verb, resource):
            review = {"spec": {"user": "system:serviceaccount:logging:log-agent",
                               "resourceAttributes": {"verb": verb, "resource": resource}}}  # fmt: skip
            return self.server.make("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]

        allowed = {(verb, what) for verb in ("get", "list", "watch", "create", "delete")
                   for what in ("pods", "nodes", "secrets", "configmaps", "namespaces") if may(verb, what)}  # fmt: skip
        self.assertEqual(allowed, {("list", "pods"), ("watch", "pods")})

    def test_the_api_server_would_say_what_is_wrong(self):
        rendered = self.render()
        container_of(pod_of(rendered))["volumeMount"] = []

        with self.assertRaisesRegex(AssertionError, "volumeMount"):
            self.check(rendered)


if __name__ == "__main__":
    unittest.util._MAX_LENGTH = 2000
    harness.main()
