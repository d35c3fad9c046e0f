#!/usr/bin/env python3
"""How the Elasticsearch output logs in, over TLS and without, and what it counts."""

import base64
import pathlib
import subprocess

import harness
from bulk_sink import refuse
from elasticsearch_bed import ElasticsearchCase, make_certificates, output, sample
from harness import wait_until


class LoginTest(ElasticsearchCase):
    def ships(self, sink, url=None, **more):
        self.run_with(output(url or sink.url, **more))
        self.write("x")
        self.wait_count(sink, 1)

    def test_user_and_password(self):
        self.ships(self.bulk(authorization="Basic " + base64.b64encode(b"me:se:cret").decode()), username="me", password="se:cret")

    def test_cloud_auth(self):
        self.ships(self.bulk(authorization="Basic " + base64.b64encode(b"me:secret").decode()), **{"cloud.auth": "me:secret"})

    def test_api_key(self):
        self.ships(self.bulk(authorization="ApiKey " + base64.b64encode(b"id:key").decode()), api_key="id:key")

    def test_api_key_that_is_encoded_already(self):
        key = base64.b64encode(b"id:key").decode()
        self.ships(self.bulk(authorization="ApiKey " + key), api_key=key)

    def test_bearer_token_of_a_file_is_read_again(self):
        token = self.dir / "token"
        token.write_text("old\n")
        sink = self.bulk(authorization="Bearer old")
        self.ships(sink, bearer_token_file=str(token))
        token.write_text("new\n")
        sink.authorization = "Bearer new"
        self.write("y")
        self.wait_count(sink, 2)

    def test_secrets_are_not_shown(self):
        sink = self.bulk()
        agent = self.run_with(output(sink.url, api_key="id:hidden-key", headers={"X-Team": "a"}))
        self.write("x")
        self.wait_count(sink, 1)
        self.assertEqual(sink.bulks()[0].headers["x-team"], "a")
        for text in (agent.get("/config")[1], agent.log(), agent.get("/targets")[1]):
            self.assertNotIn("hidden-key", text)
            self.assertNotIn(base64.b64encode(b"id:hidden-key").decode(), text)

    def test_two_ways_to_log_in_are_refused(self):
        config = self.config(output("http://h:9200", username="u", password="p", api_key="a:b"))
        result = harness.run_agent(self.dir, ["-check-syntax"], config)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(b"config.yaml:", result.stderr + result.stdout)

    def tls_options(self, files, **names):
        if "ca_trusted_fingerprint" in names:
            return {"ssl": {"ca_trusted_fingerprint": "0" * 64}}
        return {"ssl": {key: [files[name]] if key == "certificate_authorities" else files[name] for key, name in names.items()}}

    def test_tls_with_authority_and_client_certificate(self):
        files = make_certificates(self.dir)
        sink = self.bulk(certificate=(files["server.crt"], files["server.key"]), client_authority=files["ca.crt"])
        self.ships(sink, **self.tls_options(files, certificate_authorities="ca.crt", certificate="client.crt", key="client.key"))
        self.assertTrue(sink.url.startswith("https://"))

    def test_a_certificate_of_any_name_and_an_encrypted_key(self):
        files = make_certificates(self.dir)
        subprocess.run(["openssl", "rsa", "-aes256", "-passout", "pass:secret-phrase", "-in", files["client.key"],
                        "-out", str(self.dir / "locked.key")], check=True, capture_output=True)  # fmt: skip
        files["locked.key"] = str(self.dir / "locked.key")
        sink = self.bulk(certificate=(files["misnamed.crt"], files["misnamed.key"]), client_authority=files["ca.crt"])
        options = self.tls_options(files, certificate_authorities="ca.crt", certificate="client.crt", key="locked.key")
        options["ssl"].update(key_passphrase="secret-phrase", verification_mode="certificate", supported_protocols=["TLSv1.3"])
        self.ships(sink, **options)
        self.assertNotIn("secret-phrase", self.agents[0].get("/config?format=yaml")[1] + self.agents[0].log())

    def test_an_authority_that_is_trusted_by_its_fingerprint(self):
        files = make_certificates(self.dir)
        chain = self.dir / "chain.crt"
        chain.write_text(pathlib.Path(files["server.crt"]).read_text() + pathlib.Path(files["ca.crt"]).read_text())
        sink = self.bulk(certificate=(str(chain), files["server.key"]))
        print_it = ["openssl", "x509", "-fingerprint", "-sha256", "-noout", "-in", files["ca.crt"]]
        shown = subprocess.run(print_it, check=True, capture_output=True, text=True).stdout
        self.ships(sink, ssl={"ca_trusted_fingerprint": shown.strip().split("=")[1]})

    def test_wrong_certificates_hold_the_data(self):
        files = make_certificates(self.dir)
        mine = dict(certificate=(files["server.crt"], files["server.key"]))
        cases = {
            "unknown authority": (mine, dict(certificate_authorities="stranger.crt")),
            "another's fingerprint": (mine, dict(ca_trusted_fingerprint="no")),
            "another name": (dict(certificate=(files["misnamed.crt"], files["misnamed.key"])), dict(certificate_authorities="ca.crt")),
            "no client certificate": ({**mine, "client_authority": files["ca.crt"]}, dict(certificate_authorities="ca.crt")),
            "client of a stranger": ({**mine, "client_authority": files["ca.crt"]},
                                     dict(certificate_authorities="ca.crt", certificate="stranger-client.crt", key="stranger-client.key")),
        }  # fmt: skip
        self.write("x")
        for number, (name, (server, client)) in enumerate(cases.items()):
            with self.subTest(name):
                sink = self.bulk(**server)
                config = self.config(output(sink.url, **self.tls_options(files, **client)))
                config["positions"]["filename"] = str(self.dir / f"positions-{number}.yaml")
                agent = self.start(config, name=f"agent{number}").wait_ready()
                wait_until("requests fail", lambda agent=agent: sample(agent, "failed_requests_total") > 1)
                self.assertEqual(sink.count(), 0)
                self.assertEqual(self.dead_letters(), [])
                if "client" not in name:  # That, the server only says after the handshake.
                    self.assertRegex(agent.log(), "(?i)certificate|ssl|tls")
                self.assertEqual(agent.stop()[0], 0)


class MetricsTest(ElasticsearchCase):
    def test_what_is_sent_is_counted(self):
        sink = self.bulk()
        agent = self.run_with(output(sink.url))
        self.write(*["x"] * 10)
        self.wait_count(sink, 10)
        self.settled(agent)
        self.assertEqual(sample(agent, "sent_entries_total"), 10)
        self.assertEqual(sample(agent, "requests_total"), len(sink.bulks()))
        self.assertEqual(sample(agent, "encoded_bytes_total"), sum(each.wire_bytes for each in sink.bulks()))
        self.assertEqual(sample(agent, "sent_bytes_total"), sum(each.wire_bytes for each in sink.bulks()))
        for name in ("failed_requests_total", "retried_entries_total", "duplicate_entries_total", "refused_entries_total"):
            self.assertEqual(sample(agent, name), 0, name)
        self.assertEqual(sample(agent, "state", state="idle"), 1)
        self.assertEqual(sample(agent, "queue_bytes"), 0)

    def test_the_state_while_it_retries(self):
        sink = self.bulk()
        sink.answer(lambda request: refuse(503))
        agent = self.run_with(output(sink.url))
        self.write("x")
        wait_until("it retries", lambda: sample(agent, "state", state="retrying") == 1)
        self.assertGreater(sample(agent, "queue_bytes"), 0)
        sink.answer(lambda request: None)
        self.settled(agent)
        self.assertGreater(sample(agent, "failed_requests_total"), 0)
        self.assertGreater(sample(agent, "retried_entries_total"), 0)
        self.assertEqual(sample(agent, "state", state="idle"), 1)


if __name__ == "__main__":
    harness.main()
