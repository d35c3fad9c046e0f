#include "agent/config/clients.h"

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/config/load.h"

namespace agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("clients: the defaults are Promtail's, but retries never end", "[config][clients]") {
  const LoadedConfig loaded = LoadText(kClients);

  REQUIRE(Errors(loaded).empty());
  REQUIRE(loaded.config.clients.size() == 1);
  const ClientConfig& client = loaded.config.clients[0];
  CHECK(client.url == "http://loki:3100/loki/api/v1/push");
  CHECK(client.name.size() == 6);
  CHECK_FALSE(client.name_given);
  CHECK(client.batch_wait == seconds(1));
  CHECK(client.batch_size_bytes == 1048576);
  CHECK(client.timeout == seconds(10));
  CHECK(client.backoff.min_period == milliseconds(500));
  CHECK(client.backoff.max_period == std::chrono::minutes(5));
  CHECK(client.backoff.max_retries == 0);
  CHECK_FALSE(client.backoff.max_retries_given);
  CHECK(client.http.follow_redirects);
}

TEST_CASE("clients: every field is read", "[config][clients]") {
  const LoadedConfig loaded = LoadText(R"(
clients:
  - name: main
    url: https://user@loki/loki/api/v1/push
    tenant_id: 7
    batchwait: 2s
    batchsize: 2048
    timeout: 3s
    backoff_config: {min_period: 1s, max_period: 2s, max_retries: 5}
    drop_rate_limited_batches: true
    external_labels: {cluster: lab, rack: 4}
    headers: {X-Test: abc}
    basic_auth: {username: u, password: p}
    tls_config:
      ca_file: /ca.pem
      cert_file: /cert.pem
      key_file: /key.pem
      server_name: loki
      insecure_skip_verify: true
      min_version: TLS12
      max_version: TLS13
    proxy_url: http://proxy:3128
    no_proxy: localhost
    proxy_connect_header: {X-Proxy: [a, b]}
    follow_redirects: false
    enable_http2: false
    http_headers: {X-More: {values: [v], secrets: [s], files: [/f]}}
)");

  REQUIRE(Errors(loaded).empty());
  const ClientConfig& client = loaded.config.clients.at(0);
  CHECK(client.name == "main");
  CHECK(client.tenant_id == "7");
  CHECK(client.batch_wait == seconds(2));
  CHECK(client.batch_size_bytes == 2048);
  CHECK(client.backoff.max_retries == 5);
  CHECK(client.backoff.max_retries_given);
  CHECK(client.drop_rate_limited_batches);
  CHECK(FormatLabels(client.external_labels) == "{cluster=\"lab\", rack=\"4\"}");
  CHECK(client.headers == StringPairs{{"X-Test", "abc"}});
  REQUIRE(client.http.basic_auth);
  CHECK(client.http.basic_auth->password == "p");
  CHECK(client.http.tls.min_version == TlsVersion::kTls12);
  CHECK(client.http.tls.max_version == TlsVersion::kTls13);
  CHECK(client.http.tls.insecure_skip_verify);
  CHECK(client.http.proxy.url == "http://proxy:3128");
  CHECK(client.http.proxy.connect_header.at(0).second.size() == 2);
  CHECK_FALSE(client.http.follow_redirects);
  CHECK(client.http.http_headers.at(0).files.at(0) == "/f");
}

TEST_CASE("clients: a bearer token becomes an authorization", "[config][clients]") {
  const LoadedConfig loaded =
      LoadText("clients: [{url: http://l/push, bearer_token_file: /token}]\n");
  REQUIRE(loaded.config.clients.at(0).http.authorization);
  CHECK(loaded.config.clients[0].http.authorization->type == "Bearer");
  CHECK(loaded.config.clients[0].http.authorization->credentials_file == "/token");
}

TEST_CASE("clients: what excludes each other, and what is missing", "[config][clients]") {
  struct Case {
    std::string client;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "clients[0].url: client needs target URL; url: http://loki:3100/loki/api/v1/push"},
      {"{url: }",
       "clients[0].url: client needs target URL; url: http://loki:3100/loki/api/v1/push"},
      {"{url: 'loki:3100/push'}",
       "clients[0].url: a URL starts with http:// or https://; such as "
       "http://loki:3100/loki/api/v1/push"},
      {"{url: 'http://:80/'}",
       "clients[0].url: a URL needs a host; such as http://loki:3100/loki/api/v1/push"},
      {"{url: http://l/p, timeout: 0s}", "clients[0].timeout: must be more than 0"},
      {"{url: http://l/p, urll: x}", "clients[0]: unknown key 'urll'; did you mean 'url'?"},
      {"{url: http://l/p, basic_auth: {username: u}, bearer_token: t}",
       "clients[0].bearer_token: at most one of basic_auth, authorization, oauth2, bearer_token, "
       "bearer_token_file; keep one of them"},
      {"{url: http://l/p, basic_auth: {password: a, password_file: b}}",
       "clients[0].basic_auth.password_file: at most one of password, password_file; keep one of "
       "them"},
      {"{url: http://l/p, basic_auth: {username: a, username_file: b}}",
       "clients[0].basic_auth.username_file: at most one of username, username_file; keep one of "
       "them"},
      {"{url: http://l/p, authorization: {credentials: a, credentials_file: b}}",
       "clients[0].authorization.credentials_file: at most one of credentials, credentials_file; "
       "keep "
       "one of them"},
      {"{url: http://l/p, authorization: {type: Basic, credentials: a}}",
       "clients[0].authorization.type: authorization type cannot be basic; use basic_auth"},
      {"{url: http://l/p, oauth2: {client_id: a}}",
       "clients[0].oauth2.token_url: missing: a value is required"},
      {"{url: http://l/p, no_proxy: x}", "clients[0].no_proxy: no_proxy needs proxy_url"},
      {"{url: http://l/p, proxy_url: http://p, proxy_from_environment: true}",
       "clients[0].proxy_from_environment: proxy_from_environment excludes proxy_url and no_proxy"},
      {"{url: http://l/p, tls_config: {ca: x, ca_file: y}}",
       "clients[0].tls_config.ca_file: at most one of ca, ca_file; keep one of them"},
      {"{url: http://l/p, tls_config: {cert_file: x}}",
       "clients[0].tls_config: a certificate needs its key; give key_file"},
      {"{url: http://l/p, tls_config: {min_version: TLS13, max_version: TLS12}}",
       "clients[0].tls_config.max_version: max_version is below min_version"},
      {"{url: http://l/p, tls_config: {min_version: TLS14}}",
       "clients[0].tls_config.min_version: expected one of TLS10, TLS11, TLS12, TLS13, got "
       "'TLS14'; did "
       "you mean 'TLS10'?"},
      {"{url: http://l/p, backoff_config: {min_period: 2s, max_period: 1s}}",
       "clients[0].backoff_config.max_period: max_period is below min_period"},
      {"{url: http://l/p, backoff_config: {min_period: 0s}}",
       "clients[0].backoff_config.min_period: must be more than 0"},
      {"{url: http://l/p, external_labels: {a-b: c}}",
       "clients[0].external_labels: 'a-b' is not a valid label name; letters, digits and '_' only, "
       "and "
       "no digit first"},
      {"{url: http://l/p, headers: {X: \"a\\nb: c\"}}",
       "clients[0].headers: a header must not contain control characters"},
      {"{url: http://l/p, http_headers: {Host: {values: [x]}}}",
       "clients[0].http_headers.Host: this header cannot be set here"},
  }));
  INFO(c.client);

  const std::string errors = Errors(LoadText("clients:\n- " + c.client + "\n"));

  CHECK(errors.substr(std::min(errors.size(), errors.find(' ') + 1)) == c.want);
}

TEST_CASE("clients: headers of our own cannot be overridden", "[config][clients]") {
  const LoadedConfig loaded =
      LoadText("clients: [{url: http://l/p, headers: {x-scope-orgid: a, X-Ok: b}}]\n");
  CHECK(Warnings(loaded) ==
        "1:38 clients[0].headers: 'x-scope-orgid' cannot be overridden and is left out; use "
        "tenant_id");
  CHECK(loaded.config.clients.at(0).headers == StringPairs{{"X-Ok", "b"}});
}

TEST_CASE("clients: one is needed, from wherever", "[config][clients]") {
  CHECK(Errors(LoadText("")) ==
        "0:0 clients: at least one client config must be provided; clients: [{url: "
        "http://loki:3100/loki/api/v1/push}]");
  CHECK(Errors(LoadText("", {"-client.url=http://l/p"})).empty());
  CHECK(Errors(LoadText("client: {url: http://l/p}\n")).empty());
}

TEST_CASE("clients: none with an empty list of outputs, for the time being", "[config][clients]") {
  const LoadedConfig loaded = LoadText("outputs: []\n");
  CHECK(Errors(loaded).empty());
  CHECK(Warnings(loaded) ==
        "1:10 outputs: no receiver is named: it cannot be started with this; clients: [{url: "
        "http://loki:3100/loki/api/v1/push}]");

  CHECK(Warnings(LoadText("outputs: []\n", {"-client.url=http://l/p"})).empty());
  CHECK_FALSE(Errors(LoadText("outputs:\n")).empty());
}

TEST_CASE("clients: a flag and the old block are appended", "[config][clients]") {
  const LoadedConfig loaded = LoadText(
      "client: {url: http://b/p, external_labels: {one: b, two: b}}\n"
      "clients: [{url: http://a/p, external_labels: {one: a}}]\n",
      {"-client.url=http://c/p", "-client.batch-wait=7s", "-client.max-retries=3",
       "-client.tenant-id=t", "-client.external-labels=two=f,three=f",
       "-client.batch-size-bytes=99", "-client.drop-rate-limited-batches"});

  REQUIRE(Errors(loaded).empty());
  REQUIRE(loaded.config.clients.size() == 3);
  const auto& clients = loaded.config.clients;
  CHECK(FormatLabels(clients[0].external_labels) == "{one=\"a\", three=\"f\", two=\"b\"}");
  CHECK(clients[1].url == "http://b/p");
  CHECK(clients[2].url == "http://c/p");
  CHECK(clients[2].batch_wait == seconds(7));
  CHECK(clients[2].batch_size_bytes == 99);
  CHECK(clients[2].backoff.max_retries == 3);
  CHECK(clients[2].backoff.max_retries_given);
  CHECK(clients[2].tenant_id == "t");
  CHECK(clients[2].drop_rate_limited_batches);
  CHECK(FormatLabels(clients[2].external_labels) == "{one=\"b\", three=\"f\", two=\"b\"}");
  CHECK(clients[0].batch_wait == seconds(1));
}

TEST_CASE("clients: flags of a client can be wrong too", "[config][clients]") {
  CHECK(Errors(LoadText("", {"-client.url=loki", "-client.timeout=0"})) ==
        "0:0 -client.url: a URL starts with http:// or https://\n"
        "0:0 -client.timeout: must be more than 0");
}

TEST_CASE("clients: two that are the same are refused", "[config][clients]") {
  const std::string errors = Errors(LoadText("clients:\n- url: http://a/p\n- url: http://a/p\n"));
  CHECK(errors.find("3:3 clients[1]: duplicate client configs are not allowed, found duplicate for "
                    "name: ") == 0);
  CHECK(errors.find("it is the same as clients[0]") != std::string::npos);
  CHECK(
      Errors(LoadText("clients:\n- {name: x, url: http://a/p}\n- {name: x, url: http://b/p}\n")) ==
      "3:3 clients[1]: duplicate client configs are not allowed, found duplicate for name: x; the "
      "first is clients[0]");
}

TEST_CASE("clients: names do not depend on how a receiver is spoken to", "[config][clients]") {
  const auto name = [](const std::string& client) {
    return LoadText("clients: [" + client + "]\n").config.clients.at(0).name;
  };
  CHECK(name("{url: http://a/p}") == name("{url: http://a/p, timeout: 5s}"));
  CHECK(name("{url: http://a/p}") != name("{url: http://b/p}"));
  CHECK(name("{url: http://a/p}") != name("{url: http://a/p, tenant_id: x}"));

  const LoadedConfig two =
      LoadText("clients: [{url: http://a/p}, {url: http://a/p, timeout: 5s}]\n");
  REQUIRE(Errors(two).empty());
  CHECK(two.config.clients[0].name != two.config.clients[1].name);
}

TEST_CASE("clients: an old setting without effect is warned of", "[config][clients]") {
  CHECK(Warnings(LoadText("clients: [{url: http://a/p, stream_lag_labels: x}]\n"
                          "options: {stream_lag_labels: y}\n")) ==
        "2:30 options.stream_lag_labels: has no effect; leave it out\n"
        "1:48 clients[0].stream_lag_labels: has no effect; leave it out");
}

TEST_CASE("clients: a URL without a path is warned of", "[config][clients]") {
  CHECK(Warnings(LoadText("clients: [{url: 'http://loki:3100'}]\n")) ==
        "1:17 clients[0].url: the URL has no path; Loki's is /loki/api/v1/push");
}

}  // namespace
}  // namespace agent
