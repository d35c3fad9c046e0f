#include "agent/http/server.h"

#include <string>

#include <catch2/catch.hpp>

#include "agent/http/listen.h"
#include "base/clock.h"
#include "tests/agent/http/fake_view.h"
#include "tests/agent/http/loopback_client.h"

namespace agent {
namespace {

using Catch::Contains;

struct Fixture {
  Fixture() {
    config.http_listen_address = "127.0.0.1";
    config.http_listen_port = 0;
  }

  void Start() {
    auto opened =
        HttpServer::Open(config, {.loop = loop, .logger = logger, .clock = clock, .view = view});
    REQUIRE(opened.ok());
    server = std::move(*opened);
  }
  [[nodiscard]] std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server->port()) + path;
  }

  Loop loop;
  SystemClock clock;
  Logger logger{-1, LogLevel::kInfo, LogFormat::kLogfmt};
  FakeView view;
  ServerConfig config;
  std::unique_ptr<HttpServer> server;
  LoopbackClient client{loop};
};

TEST_CASE("server: answers GET and HEAD over one connection", "[http]") {
  Fixture f;
  f.Start();

  const ClientAnswer get = f.client.Ask(f.Url("/ready"));
  CHECK(get.status == 200);
  CHECK(get.body == "Ready\n");
  CHECK_THAT(get.head, Contains("Content-Type: text/plain; charset=utf-8"));
  CHECK_THAT(get.head, Contains("X-Content-Type-Options: nosniff"));

  const ClientAnswer head =
      f.client.Ask(f.Url("/ready"), [](CURL* curl) { curl_easy_setopt(curl, CURLOPT_NOBODY, 1L); });
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK_THAT(head.head, Contains("Content-Length: 6"));
}

TEST_CASE("server: query, headers and a small body reach the endpoint", "[http]") {
  Fixture f;
  f.config.data_pages_token = "t";
  f.Start();
  curl_slist* headers = curl_slist_append(nullptr, "Authorization: Bearer t");
  headers = curl_slist_append(headers, "Accept: application/json");
  const auto with_headers = [headers](CURL* curl) {
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  };

  CHECK(f.client.Ask(f.Url("/targets")).status == 401);
  CHECK(f.client.Ask(f.Url("/targets"), with_headers).body == "{\"jobs\":[],\"outputs\":[]}\n");
  CHECK(f.client.Ask(f.Url("/config?format=yaml"), with_headers).body == "clients: []\n");
  const ClientAnswer level = f.client.Ask(f.Url("/loglevel"), [&](CURL* curl) {
    with_headers(curl);
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, "level=debug");
  });
  CHECK(level.status == 200);
  CHECK(f.logger.level() == LogLevel::kDebug);
  curl_slist_free_all(headers);
}

TEST_CASE("server: a large body is refused, whether it says its size or not", "[http]") {
  Fixture f;
  f.Start();
  const std::string body(100'000, 'x');
  const ClientAnswer announced = f.client.Ask(f.Url("/loglevel"), [&](CURL* curl) {
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
  });
  CHECK(announced.status == 413);

  curl_slist* headers = curl_slist_append(nullptr, "Transfer-Encoding: chunked");
  const ClientAnswer chunked = f.client.Ask(f.Url("/loglevel"), [&](CURL* curl) {
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
  });
  curl_slist_free_all(headers);
  CHECK(chunked.status == 413);

  CHECK(f.client.Ask(f.Url("/ready")).status == 200);
}

TEST_CASE("server: a reload that takes a while answers when it is over", "[http]") {
  Fixture f;
  f.config.enable_runtime_reload = true;
  f.view.reload_later = true;
  f.Start();

  f.client.Begin(f.Url("/reload"));
  while (!f.view.reload_done)
    CHECK_FALSE(f.client.Turn());
  LoopbackClient other(f.loop);
  CHECK(other.Ask(f.Url("/ready")).status == 200);
  f.view.reload_done(Error{ErrorCode::kInvalid, "no"});
  while (!f.client.Turn()) {
  }

  const ClientAnswer answer = f.client.End();
  CHECK(answer.status == 500);
  CHECK(answer.body == "failed to reload config: no\n");
}

TEST_CASE("server: stopping answers who waits for a reload, and a late reload finds nobody",
          "[http]") {
  Fixture f;
  f.config.enable_runtime_reload = true;
  f.view.reload_later = true;
  f.Start();
  f.client.Begin(f.Url("/reload"));
  while (!f.view.reload_done)
    f.client.Turn();

  f.server.reset();
  while (!f.client.Turn()) {
  }

  CHECK(f.client.End().status == 503);
  f.view.reload_done({});
}

TEST_CASE("server: its own metrics count by route", "[http]") {
  Fixture f;
  f.config.http_path_prefix = "/p";
  f.Start();
  f.client.Ask(f.Url("/p/ready"));
  f.client.Ask(f.Url("/p/ready"));
  f.client.Ask(f.Url("/elsewhere"));

  const std::string text = f.client.Ask(f.Url("/p/metrics")).body;

  CHECK_THAT(text, Contains("request_duration_seconds_count{method=\"GET\",route=\"ready\","
                            "status_code=\"200\",ws=\"false\"} 2\n"));
  CHECK_THAT(text, Contains("request_duration_seconds_count{method=\"GET\",route=\"other\","
                            "status_code=\"404\",ws=\"false\"} 1\n"));
  CHECK_THAT(text, Contains("inflight_requests{method=\"GET\",route=\"metrics\"} 1\n"));
  CHECK_THAT(text, Contains("response_message_bytes_sum{method=\"GET\",route=\"ready\"} 12\n"));
  CHECK_THAT(text, Contains("tcp_connections_limit{protocol=\"http\"} 256\n"));
}

TEST_CASE("server: without an address it listens on IPv4, and IPv6 where there is one", "[http]") {
  Fixture f;
  f.config.http_listen_address = "";
  f.Start();
  CHECK(f.client.Ask(f.Url("/ready")).status == 200);
  const ClientAnswer six =
      f.client.Ask("http://[::1]:" + std::to_string(f.server->port()) + "/ready");
  CHECK((six.status == 200 || six.error == CURLE_COULDNT_CONNECT));
}

TEST_CASE("server: an address in use is an error that names it", "[http]") {
  Fixture f;
  auto taken = ListenOn("127.0.0.1", 0);
  REQUIRE(taken.ok());
  f.config.http_listen_port = BoundPort(*taken);

  const auto opened = HttpServer::Open(
      f.config, {.loop = f.loop, .logger = f.logger, .clock = f.clock, .view = f.view});

  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().message ==
        "HTTP server: listen on 127.0.0.1:" + std::to_string(f.config.http_listen_port) +
            ": bind: Address already in use");
}

TEST_CASE("server: TLS that contradicts itself is an error", "[http][tls]") {
  Fixture f;
  std::string want;
  SECTION("no key") {
    f.config.http_tls.cert = "x";
    want = "needs its key_file";
  }
  SECTION("no certificate in it") {
    f.config.http_tls.cert = "x";
    f.config.http_tls.key = "y";
    want = "the certificate or its key is no good";
  }
  SECTION("a file that is not there") {
    f.config.http_tls.cert_file = "/nonexistent/cert.pem";
    want = "open /nonexistent/cert.pem: No such file";
  }
  SECTION("verification without an authority") {
    f.config.http_tls.cert = "x";
    f.config.http_tls.key = "y";
    f.config.http_tls.client_auth_type = "RequireAndVerifyClientCert";
    want = "needs client_ca_file";
  }
  SECTION("an unknown kind of client authentication") {
    f.config.http_tls.cert = "x";
    f.config.http_tls.key = "y";
    f.config.http_tls.client_auth_type = "Sometimes";
    want = "got 'Sometimes'";
  }
  SECTION("an unknown version") {
    f.config.http_tls.cert = "x";
    f.config.http_tls.key = "y";
    f.config.tls_min_version = "1.2";
    want = "server.tls_min_version: expected one of VersionTLS10";
  }

  const auto opened = HttpServer::Open(
      f.config, {.loop = f.loop, .logger = f.logger, .clock = f.clock, .view = f.view});

  REQUIRE_FALSE(opened.ok());
  CHECK_THAT(opened.error().message, Contains(want));
}

}  // namespace
}  // namespace agent
