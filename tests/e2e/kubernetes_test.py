#!/usr/bin/env python3
"""kubernetes_sd_configs and the folders of a kubelet: pods that come, change, go, live for a moment, wait for their
labels; links out of their folders."""

import gzip
import json
import os
import pathlib

import harness
from harness import wait_until
from kube import pod
from kube_bed import HELM_RULES, KubernetesTestCase


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
            wait_until("it is being read", lambda path=log: self.is_read(agent, path), 10)
            self.kubelet.remove(short)
            api.delete("pods", name)
        self.wait_lines(*[f"{name} {what}" for name in names for what in ("first", "last")])
        self.assertEqual({self.labels(f"{name} last")["app"] for name in names}, {"moment"})
        metrics = agent.metrics()
        self.assertEqual(metrics.sum("agent_first_read_seconds_count", job="pods"), len(names))
        self.assertEqual(metrics.sum("agent_first_read_seconds_bucket", job="pods", le="10"), len(names))
        self.end(agent)

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


    def test_rotations_while_the_agent_is_down(self):
        """The kubelet renames a log, and compresses it with the next rotation: what is left of it is read from there."""
        api = self.fake()
        app = pod("web")
        api.put("pods", app)
        log = self.kubelet.log(app, *[f"before {i}" for i in range(100)])
        agent = self.run_agent(self.config(api.url))
        before = [f"before {i}" for i in range(100)]
        self.wait_lines(*before)
        self.end(agent)
        self.kubelet.log(app, *[f"down {i}" for i in range(50)])
        rotated = f"{log}.20260504-091203"
        os.rename(log, rotated)
        self.kubelet.log(app, *[f"next {i}" for i in range(50)])
        with open(rotated, "rb") as plain:
            pathlib.Path(f"{rotated}.gz").write_bytes(gzip.compress(plain.read()))
        os.unlink(rotated)
        os.rename(log, f"{log}.20260504-101203")
        self.kubelet.log(app, "last")
        agent = self.run_agent(self.config(api.url))
        down = [f"down {i}" for i in range(50)] + [f"next {i}" for i in range(50)]
        self.wait_lines(*before, *down, "last")
        order = [line for line in self.receiver.lines() if not line.startswith("before")]
        self.assertEqual(order, [*down, "last"])
        self.end(agent)


class WaitingTest(KubernetesTestCase):
    """Pods of which the server has not told: their logs are held until it does, or the time is over."""

    def mute(self, api):
        """It answers nothing; watches go on and stay silent."""
        api.plan = lambda path, query: (503, {"Connection": "close"}, b"")

    def waiting(self, agent):
        return agent.metrics().sum("agent_kubernetes_pods_waiting")

    def test_labels_that_come_late_are_waited_for(self):
        api = self.fake()
        self.mute(api)
        app = pod("web", labels={"app": "shop"})
        self.kubelet.log(app, "one", "two")
        agent = self.run_agent(self.config(api.url, label_wait="1h"))
        wait_until("it waits", lambda: agent.get("/metrics")[0] == 200 and self.waiting(agent) == 1)
        wait_until("it is open", lambda: self.is_open(agent, self.kubelet.folder(app) / "0.log"))
        self.assertIn("1 pods wait", self.problems(agent))
        (target,) = json.loads(agent.get("/targets?format=json")[1])["jobs"][0]["targets"]
        self.assertIn("the API server has not told of this pod yet", target["waits_for"])
        self.assertIn("it is read with its folder&#39;s labels then", agent.get("/targets")[1])
        api.put("pods", app)
        api.plan = lambda path, query: None
        self.wait_lines("one", "two", timeout=60)
        self.assertEqual({self.labels(line)["app"] for line in ("one", "two")}, {"shop"})
        self.assertEqual(self.waiting(agent), 0)
        self.end(agent)

    def test_a_pod_that_is_gone_before_the_server_tells_of_it(self):
        api = self.fake()
        self.mute(api)
        agent = self.run_agent(self.config(api.url, label_wait="1h"))
        wait_until("it looks", lambda: agent.get("/metrics")[0] == 200)
        told, restarted = pod("told", labels={"app": "told"}), pod("restarted", labels={"app": "restarted"})
        for n in range(3):
            log = self.kubelet.log(restarted, f"restarted {n}", number=n)
            wait_until(f"{n}.log is open", lambda path=log: self.is_open(agent, path))
        log = self.kubelet.log(told, "told 1")
        wait_until("it is open", lambda: self.is_open(agent, log))
        self.kubelet.log(told, "told 2")
        os.rename(log, f"{log}.20260504-091203")
        for each in (told, restarted):
            self.kubelet.remove(each)
        wait_until("the folders are gone", lambda: not list(self.kubelet.path.iterdir()))
        api.put("pods", told)
        api.put("pods", restarted)
        api.plan = lambda path, query: None
        self.wait_lines("told 1", "told 2", "restarted 0", "restarted 1", "restarted 2", timeout=60)
        self.assertEqual({self.labels(line)["app"] for line in ("told 1", "told 2")}, {"told"})
        self.end(agent)

    def test_when_the_time_is_over_the_folder_s_name_does(self):
        api = self.fake()
        self.mute(api)
        short, long = pod("short"), pod("long", labels={"app": "late"})
        agent = self.run_agent(self.config(api.url, label_wait="2s"))
        log = self.kubelet.log(short, "short 1")
        self.kubelet.log(long, "long 1")
        wait_until("it is open", lambda: self.is_open(agent, log))
        self.kubelet.remove(short)  # Within the time: it is read nevertheless.
        self.wait_lines("short 1", "long 1")
        self.assertEqual(self.labels("short 1")["pod"], "short")
        self.assertEqual(self.labels("long 1")["app"], "long")
        self.assertIn("read without labels", self.problems(agent))

        # The server is back: another label, and no line twice.
        api.put("pods", long)
        api.plan = lambda path, query: None
        wait_until("the label is there", lambda: "late" in {t["labels"].get("app") for t in self.discovered(agent)["targets"]}, 60)
        self.kubelet.log(long, "long 2")
        self.wait_lines("short 1", "long 1", "long 2")
        self.assertEqual(self.labels("long 2")["app"], "late")
        self.end(agent)

    def test_what_rules_are_to_keep_out_stays_out(self):
        api = self.fake()
        self.mute(api)
        hidden, seen = pod("hidden", labels={"logging": "off"}), pod("seen")
        self.kubelet.log(hidden, "nobody's business")
        self.kubelet.log(seen, "seen 1")
        drop = {"source_labels": ["__meta_kubernetes_pod_label_logging"], "regex": "off", "action": "drop"}
        config = self.config(api.url, [drop, *HELM_RULES], label_wait="100ms")
        agent = self.run_agent(config)
        wait_until("its time is over", lambda: agent.get("/metrics")[0] == 200 and api.count() > 1 and self.waiting(agent) == 0)
        self.assertEqual(agent.metrics().sum("agent_kubernetes_pods_without_labels"), 0)
        for each in (hidden, seen):
            api.put("pods", each)
        api.plan = lambda path, query: None
        self.wait_lines("seen 1", timeout=60)
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


if __name__ == "__main__":
    harness.main()
