#!/usr/bin/env python3
"""kubernetes_sd_configs against an API server that misbehaves, and the folders of a kubelet: pods that come, change,
go, live for a moment; watches that break; a server that is away."""

import json
import os
import shutil

import harness
import kube
from harness import base_config, wait_until
from kube import pod

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

    def problems(self, agent):
        """What the page says that is wrong."""
        return agent.get("/service-discovery")[1]

    def end(self, agent):
        self.assertEqual(agent.stop()[0], 0)


class PodsTest(KubernetesTestCase):
    def test_the_chart_s_labels(self):
        api = self.fake()
        web = pod("web-6d4cf56db6-x2x9j", labels={"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "blue"})
        static = pod("etcd-node-1", annotations={"kubernetes.io/config.hash": "0123abcd", "kubernetes.io/config.mirror": "0123abcd"})
        elsewhere = pod("other", node="node-2")
        for each in (web, static, elsewhere):
            api.put("pods", each)
        self.kubelet.log(web, "one")
        self.kubelet.log(static, "two", uid="0123abcd")
        self.kubelet.log(elsewhere, "never read")
        agent = self.run_agent(self.config(api.url, label_wait="1h"))
        self.wait_lines("one", "two")

        got = self.labels("one")
        self.assertEqual(got.pop("filename"), str(self.kubelet.folder(web) / "0.log"))
        self.assertEqual(
            got,
            {"app": "shop", "instance": "blue", "node_name": "node-1", "namespace": "default", "job": "default/shop",
             "pod": "web-6d4cf56db6-x2x9j", "container": "main", "stream": "stdout"},
        )  # fmt: skip
        self.assertEqual(self.labels("two")["pod"], "etcd-node-1")
        for path, query, _ in api.requests:
            self.assertEqual(query.get("fieldSelector"), "spec.nodeName=node-1", path)
        self.end(agent)

    def test_a_job_without_a_path_rule(self):
        api = self.fake()
        app = pod("train", labels={"job_type": "training"}, containers=("main", "side"))
        init = {"name": "prepare", "image": "busybox"}
        app["spec"]["initContainers"] = [init]
        api.put("pods", app)
        api.put("pods", pod("no-label"))
        for container in ("main", "side", "prepare"):
            self.kubelet.log(app, f"from {container}", container=container)
        self.kubelet.log(pod("no-label"), "not kept")
        rules = [{"source_labels": ["__meta_kubernetes_pod_label_job_type"], "action": "keep", "regex": "training"}]
        agent = self.run_agent(self.config(api.url, rules))
        self.wait_lines("from main", "from side", "from prepare")
        self.end(agent)

    def test_pods_that_live_for_a_moment(self):
        api = self.fake()
        agent = self.run_agent(self.config(api.url))
        wait_until("it watches", lambda: api.count(watch=True))
        names = [f"moment-{n}" for n in range(20)]
        for name in names:
            short = pod(name, labels={"app": "moment"})
            api.put("pods", short)
            self.kubelet.log(short, f"{name} first")
            log = self.kubelet.log(short, f"{name} last")
            wait_until("it is being read", lambda path=log: self.is_open(agent, path), 10)
            self.kubelet.remove(short)
            api.delete("pods", name)
        self.wait_lines(*[f"{name} {what}" for name in names for what in ("first", "last")])
        self.assertEqual({self.labels(f"{name} last")["app"] for name in names}, {"moment"})
        self.end(agent)

    def is_open(self, agent, path):
        """The agent has it open: from then on nothing that happens to its folder can lose it."""
        folder = f"/proc/{agent.process.pid}/fd"
        for each in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{each}").removesuffix(" (deleted)") == str(path):
                    return True
            except OSError:
                pass
        return False

    def test_a_pod_s_labels_change_and_nothing_is_read_twice(self):
        api = self.fake()
        app = pod("web", labels={"app": "blue"})
        api.put("pods", app)
        self.kubelet.log(app, *[f"blue {n}" for n in range(100)])
        agent = self.run_agent(self.config(api.url))
        self.wait_lines(*[f"blue {n}" for n in range(100)])

        changed = pod("web", labels={"app": "green"})
        api.put("pods", changed)
        wait_until("the target has the new label",
                   lambda: [t["labels"]["app"] for t in self.discovered(agent)["targets"]] == ["green"])  # fmt: skip
        self.kubelet.log(app, *[f"green {n}" for n in range(100)])
        self.wait_lines(*[f"{color} {n}" for color in ("blue", "green") for n in range(100)])
        self.assertEqual(self.labels("blue 99")["app"], "blue")
        self.assertEqual(self.labels("green 99")["app"], "green")
        self.end(agent)

    def test_a_deleted_pod_is_read_to_its_end(self):
        api = self.fake()
        app = pod("web", labels={"app": "web"})
        api.put("pods", app)
        self.kubelet.log(app, "before")
        agent = self.run_agent(self.config(api.url))
        self.wait_lines("before")
        api.delete("pods", "web")
        wait_until("the agent knows", lambda: agent.metrics().sum("agent_kubernetes_objects") == 0)
        self.kubelet.log(app, "its last words")
        self.wait_lines("before", "its last words")
        self.assertEqual(self.labels("its last words"), self.labels("before"))
        self.end(agent)

    def test_a_restart_and_a_rotation(self):
        api = self.fake()
        app = pod("web")
        api.put("pods", app)
        log = self.kubelet.log(app, "0 first")
        agent = self.run_agent(self.config(api.url))
        self.wait_lines("0 first")
        self.kubelet.log(app, "0 second")
        os.rename(log, f"{log}.20260504-091203")
        self.kubelet.log(app, "0 third")
        self.wait_lines("0 first", "0 second", "0 third")
        self.kubelet.log(app, "1 first", number=1)
        self.wait_lines("0 first", "0 second", "0 third", "1 first")
        self.end(agent)


class ServerTest(KubernetesTestCase):
    """What a server does, and what becomes of the targets."""

    def follow(self, api, **more):
        """An agent that watches, with one pod whose label says who it is."""
        self.first = pod("first", labels={"app": "first"})
        api.put("pods", self.first)
        self.kubelet.log(self.first, "first 1")
        agent = self.run_agent(self.config(api.url, **more))
        self.wait_lines("first 1")
        wait_until("it watches", lambda: api.count(watch=True))
        return agent

    def a_new_pod_is_found(self, api, name="late", timeout=30):
        late = pod(name, labels={"app": name})
        api.put("pods", late)
        self.kubelet.log(late, f"{name} 1")
        wait_until(f"{name} is read", lambda: f"{name} 1" in self.receiver.lines(), timeout)
        self.assertEqual(self.labels(f"{name} 1")["app"], name)

    def test_a_version_that_is_too_old_is_listed_anew(self):
        api = self.fake()
        agent = self.follow(api)
        lists = api.count(watch=False)
        gone = pod("gone", labels={"app": "gone"})
        with api.lock:
            api.objects[("pods", "default", "gone")] = gone  # Nobody is told.
        api.forget()
        api.break_watches()
        wait_until("it has listed", lambda: api.count(watch=False) > lists)
        self.kubelet.log(gone, "gone 1")
        wait_until("the pod of which no event told", lambda: "gone 1" in self.receiver.lines())
        self.a_new_pod_is_found(api)
        self.assertGreaterEqual(agent.metrics().sum("agent_kubernetes_expired_total"), 1)
        self.assertIn("first 1", self.receiver.lines())
        self.end(agent)

    def test_watches_that_break_off_go_on_where_they_were(self):
        api = self.fake()
        agent = self.follow(api, label_wait="1h")
        lists = api.count(watch=False)
        for n in range(3):
            watches = api.count(watch=True)
            api.break_watches()
            wait_until("another watch", lambda w=watches: api.count(watch=True) > w)
            self.a_new_pod_is_found(api, f"late-{n}")
        self.assertEqual(api.count(watch=False), lists)
        self.end(agent)

    def test_an_event_that_is_cut_in_the_middle(self):
        api = self.fake()
        agent = self.follow(api, label_wait="1h")
        watches = api.count(watch=True)
        cut = pod("cut", labels={"app": "cut"})
        with api.lock:  # The watch is woken once, for both.
            api.epoch += 1
            api.cut = True
            api.put("pods", cut)
        wait_until("another watch", lambda: api.count(watch=True) > watches)
        self.kubelet.log(cut, "cut 1")
        wait_until("the pod of the broken event", lambda: "cut 1" in self.receiver.lines())
        self.assertEqual(self.labels("cut 1")["app"], "cut")
        self.end(agent)

    def test_bookmarks_are_gone_on_from(self):
        api = self.fake()
        agent = self.follow(api)
        for n in range(5):
            api.put("pods", pod(f"elsewhere-{n}", node="node-2"))
        marked = lambda: agent.metrics().sum("agent_kubernetes_events_total") >= 1
        wait_until("a bookmark", marked)
        version = str(api.version)
        watches = api.count(watch=True)
        api.break_watches()
        wait_until("another watch", lambda: api.count(watch=True) > watches)
        query = [query for _, query, _ in api.requests if "watch" in query][-1]
        self.assertEqual(query["resourceVersion"], version)
        self.end(agent)

    def test_too_many_requests(self):
        api = self.fake()
        refused = []

        def plan(path, query):
            if len(refused) < 2:
                refused.append(harness.time.monotonic())
                return 429, {"Retry-After": "1"}, b""
            return None

        api.plan = plan
        agent = self.follow(api)
        self.assertGreaterEqual(refused[1] - refused[0], 1)
        self.end(agent)

    def test_nonsense_is_no_end(self):
        api = self.fake()
        answers = iter(
            [
                (200, {}, b"<html>this is a proxy</html>"),
                (200, {}, b'{"items": 3}'),
                (200, {}, b'{"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": "x"'),
                (500, {}, b""),
                (200, {"Content-Length": "100000", "Connection": "close"}, b'{"items": ['),
                (403, {}, b'{"kind": "Status", "message": "pods is forbidden: no role"}'),
            ]
        )
        api.plan = lambda path, query: next(answers, None)
        agent = self.run_agent(self.config(api.url))
        wait_until("it watches", lambda: api.count(watch=True), 60)
        self.a_new_pod_is_found(api)
        self.assertGreaterEqual(agent.metrics().sum("agent_kubernetes_request_failures_total"), 5)
        self.end(agent)

    def test_hostile_names(self):
        api = self.fake()
        secret = self.dir / "secret.log"
        secret.write_text("2026-05-04T09:12:03.418Z stdout F outside\n")
        good = pod("good", labels={"app": "good", "x\n\"}{": "a\nb\"", "y" * 300: "z" * 300})
        names = ["..", "a\nb", "x" * 300, "*", "a/../../b", "", "\u0000"]
        for n, name in enumerate(names):
            bad = pod(f"bad-{n}", labels={"app": "bad"})
            bad["metadata"]["name"] = name
            api.put("pods", bad)
            bad = pod(f"container-{n}", containers=(name,))
            api.put("pods", bad)
            api.put("pods", pod(f"uid-{n}", uid=f"../{name}"))
        api.put("pods", good)
        api.put("pods", pod("escape", annotations={"kubernetes.io/config.hash": "/../../"}))
        self.kubelet.log(good, "good 1")
        for name in ("a\nb_c_d", "x" * 255, "a_.._b", "a_*_b", "no", b"\xff_\xfe_1".decode("latin-1")):
            (self.kubelet.path / name / "main").mkdir(parents=True)
            shutil.copy(secret, self.kubelet.path / name / "main/0.log")
        os.makedirs(os.fsencode(self.kubelet.path) + b"/\xff\xfe_pod_1/main")
        os.symlink(self.dir, self.kubelet.path / "default_link_1")
        rules = HELM_RULES + [{"action": "labelmap", "regex": "__meta_kubernetes_pod_label_(.+)"}]
        agent = self.run_agent(self.config(api.url, rules, label_wait="100ms"))
        self.wait_lines("good 1")
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("agent_kubernetes_left_out", what="folder"), 8)
        self.assertGreaterEqual(metrics.sum("agent_kubernetes_left_out", what="pod"), 10)
        self.assertGreaterEqual(metrics.sum("agent_kubernetes_ignored_total"), 1)
        self.assertIn("impossible names", self.problems(agent))
        self.end(agent)

    def test_a_thousand_pods_come_and_go(self):
        api = self.fake()
        agent = self.run_agent(self.config(api.url, label_wait="1h"))
        wait_until("it watches", lambda: api.count(watch=True))
        pods = [pod(f"pod-{n}", labels={"app": f"app-{n % 10}"}) for n in range(1000)]
        for each in pods:
            api.put("pods", each)
            if int(each["metadata"]["name"][4:]) % 20 == 0:
                self.kubelet.log(each, each["metadata"]["name"])
        wanted = sorted(f"pod-{n}" for n in range(0, 1000, 20))
        wait_until("those with logs are read", lambda: sorted(self.receiver.lines()) == wanted, 60)
        for each in pods[:990]:
            api.delete("pods", each["metadata"]["name"])
        wait_until("the others are known no more", lambda: agent.metrics().sum("agent_kubernetes_objects") == 10, 60)
        self.a_new_pod_is_found(api)
        self.assertEqual(len(self.receiver.lines()), len(wanted) + 1)
        self.end(agent)


class LinksTest(KubernetesTestCase):
    """Links in a pod's folder: a log may be where the runtime keeps it, and nowhere else."""

    def setUp(self):
        super().setUp()
        self.api = self.fake()
        self.outside = self.dir / "outside"
        self.outside.mkdir()

    def link(self, name, text):
        """A pod whose log is a link to a file elsewhere."""
        obj = pod(name)
        self.api.put("pods", obj)
        target = self.outside / f"{name}.json.log"
        target.write_text(f"2026-05-04T09:12:03.418Z stdout F {text}\n")
        folder = self.kubelet.folder(obj)
        folder.mkdir(parents=True)
        os.symlink(target, folder / "0.log")
        return folder

    def plain(self, name, text, **more):
        obj = pod(name, **more)
        self.api.put("pods", obj)
        self.kubelet.log(obj, text)
        return self.kubelet.folder(obj)

    def refused(self, agent):
        return agent.metrics().sum("agent_files_refused")

    def test_links_out_are_refused(self):
        self.link("evil", "a link to a file")
        folder = self.plain("folder", "not linked")
        os.rename(folder, self.outside / "real")
        os.symlink(self.outside / "real", folder)  # The container's folder itself.
        good = self.plain("good", "good 1")
        agent = self.run_agent(self.config(self.api.url))
        self.wait_lines("good 1")
        wait_until("both are refused", lambda: self.refused(agent) == 2)

        # A log that is replaced by a link while it is read, and a link that looks like a rotated log.
        secret = self.outside / "secret"
        secret.write_text("2026-05-04T09:12:03.418Z stdout F secret 1\n" * 3)
        os.symlink(secret, good / "0.log.20990504-091203")
        os.unlink(good / "0.log")
        os.symlink(secret, good / "0.log")
        wait_until("it is refused, too", lambda: self.refused(agent) == 3)
        os.unlink(good / "0.log")
        (good / "0.log").write_text("2026-05-04T09:12:03.418Z stdout F good 2\n")
        self.wait_lines("good 1", "good 2")
        self.assertIn("a link leads out", agent.log())
        self.end(agent)

    def test_a_path_that_labels_lead_out_is_refused(self):
        (self.dir / "main").mkdir()
        (self.dir / "main/0.log").write_text("2026-05-04T09:12:03.418Z stdout F outside\n")
        self.plain("evil", "its own", annotations={"kubernetes.io/config.hash": "/../.."})
        self.plain("good", "good 1")
        agent = self.run_agent(self.config(self.api.url))
        self.wait_lines("good 1")
        wait_until("it is refused", lambda: self.refused(agent) == 1)
        self.end(agent)

    def test_links_to_listed_folders_are_followed(self):
        self.link("docker", "from the runtime")
        agent = self.run_agent(self.config(self.api.url, log_roots=[str(self.outside)]))
        self.wait_lines("from the runtime")
        self.assertEqual(self.refused(agent), 0)
        self.end(agent)


class AccessTest(KubernetesTestCase):
    """Ways in: the cluster's own, a kubeconfig, tokens and authorities that change."""

    def certificate(self, name):
        key, cert = self.dir / f"{name}.key", self.dir / f"{name}.crt"
        harness.subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
            check=True, capture_output=True,
        )  # fmt: skip
        return cert, key

    def put_file(self, path, text):
        """As Kubernetes does it: another file in its place."""
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(text)
        os.replace(temporary, path)

    def kubeconfig(self, api, user, cluster=None):
        return json.dumps({
            "current-context": "main",
            "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": api.url, **(cluster or {})}}],
            "users": [{"name": "u", "user": user}],
        })  # fmt: skip

    def test_a_token_and_an_authority_that_are_changed(self):
        first, second = self.certificate("first"), self.certificate("second")
        token, authority = self.dir / "token", self.dir / "ca.crt"
        token.write_text("token-one-hush\n")
        authority.write_text(first[0].read_text())
        api = self.fake(tokens={"token-one-hush"}, certificate=first)
        app = pod("web")
        api.put("pods", app)
        self.kubelet.log(app, "one")
        config = self.config(api.url, authorization={"credentials_file": str(token)}, tls_config={"ca_file": str(authority)})
        agent = self.run_agent(config)
        self.wait_lines("one")

        # The token first: a watch goes on with the old one until it ends.
        api.tokens = {"token-two-hush"}
        api.break_watches()
        wait_until("it is refused", lambda: "Unauthorized" in agent.log())
        self.put_file(token, "token-two-hush\n")
        wait_until("it is let in", lambda: agent.metrics().sum("agent_kubernetes_api_up") == 1, 60)

        # Then the authority.
        api.close()
        api.certificate, api.cut = second, False
        api.open()
        self.put_file(authority, second[0].read_text())
        watches = api.count(watch=True)
        wait_until("it watches again", lambda: api.count(watch=True) > watches, 60)
        late = pod("late", labels={"app": "late"})
        api.put("pods", late)
        self.kubelet.log(late, "late")
        self.wait_lines("late", "one")
        self.assertEqual(self.labels("late")["app"], "late")
        for text in (agent.log(), agent.get("/config")[1], agent.get("/service-discovery")[1], agent.get("/targets")[1]):
            self.assertNotIn("hush", text)
        self.end(agent)

    def test_a_kubeconfig_that_comes_late_and_changes(self):
        certificate = self.certificate("server")
        api = self.fake(tokens={"right-hush"}, certificate=certificate)
        app = pod("web", labels={"app": "shop"})
        api.put("pods", app)
        self.kubelet.log(app, "one")
        path = self.dir / "kubeconfig"
        agent = self.run_agent(self.config(None, kubeconfig_file=str(path), label_wait="1h"))
        wait_until("it says what is missing", lambda: "kubeconfig" in agent.log() and agent.get("/metrics")[0] == 200)
        self.put_file(path, self.kubeconfig(api, {"exec": {"command": "aws"}}))
        wait_until("it says what cannot be", lambda: "runs no programs" in self.problems(agent), 60)
        cluster = {"certificate-authority": "server.crt"}
        self.put_file(path, self.kubeconfig(api, {"token": "wrong-hush"}, cluster))
        wait_until("it is refused", lambda: "Unauthorized" in agent.log(), 60)
        self.put_file(path, self.kubeconfig(api, {"token": "right-hush"}, cluster))
        self.wait_lines("one", timeout=60)
        self.assertEqual(self.labels("one")["app"], "shop")
        self.assertNotIn("hush", agent.log() + agent.get("/service-discovery")[1])
        self.end(agent)

    def test_no_server_at_all(self):
        app = pod("web")
        self.kubelet.log(app, "one")
        agent = self.run_agent(self.config(None, label_wait="500ms"), KUBERNETES_SERVICE_HOST="")
        self.wait_lines("one")
        self.assertEqual(self.labels("one")["pod"], "web")
        self.assertEqual(self.labels("one")["namespace"], "default")
        self.assertEqual(self.labels("one")["app"], "web")  # The last that the chart falls back to.
        self.assertEqual(agent.metrics().sum("agent_kubernetes_api_up"), 0)
        self.assertEqual(agent.metrics().sum("agent_kubernetes_pods_without_labels"), 1)
        self.assertIn("not in a cluster", self.problems(agent))
        self.end(agent)


if __name__ == "__main__":
    harness.main()
