#!/usr/bin/env python3
"""kubernetes_sd_configs against an API server that misbehaves: watches that break, nonsense, hostile names, tokens and
authorities that change, a server that is away."""

import json
import os
import shutil
import subprocess
import time

import harness
from harness import wait_until
from kube import pod
from kube_bed import HELM_RULES, KubernetesTestCase


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
                refused.append(time.monotonic())
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


class AccessTest(KubernetesTestCase):
    """Ways in: the cluster's own, a kubeconfig, tokens and authorities that change."""

    def certificate(self, name):
        key, cert = self.dir / f"{name}.key", self.dir / f"{name}.crt"
        subprocess.run(
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
