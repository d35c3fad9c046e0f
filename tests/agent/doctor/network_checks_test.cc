#include <sys/socket.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/reach.h"
#include "base/unique_fd.h"
#include "tests/agent/doctor/doctor_bed.h"
#include "tests/agent/doctor/socket_bed.h"
#include "tests/agent/doctor/test_certificate.h"
#include "tests/support/scriptable_sink.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

constexpr milliseconds kShort{300};
constexpr milliseconds kLong{5'000};

// What is said of the way to a server with that certificate, which `trusted` names as authority.
Strings Reach(const TestCertificate& shown, bool trusted, Findings& findings) {
  ScriptableSink::Options options;
  options.certificate = shown.certificate;
  options.key = shown.key;
  const ScriptableSink sink(options);
  Endpoint endpoint{"127.0.0.1", sink.port(), TlsOptions()};
  if (trusted) endpoint.tls->ca_file = shown.certificate;
  ReachEndpoint(endpoint, kLong, Group(findings, "Output"));
  return Complaints(findings);
}

ClientConfig ClientOf(const ScriptableSink& sink) {
  ClientConfig client;
  client.name = "loki";
  client.name_given = true;
  client.url = sink.push_url();
  return client;
}

Strings CheckLokiAt(const ClientConfig& client, Findings& findings, milliseconds timeout = kLong) {
  Subject subject = SubjectOf({});
  subject.timeout = timeout;
  CheckLoki(subject, client, findings);
  return Complaints(findings);
}

SinkAnswer Answer(int status, std::string body = "") {
  SinkAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

SinkAnswer Stall() {
  SinkAnswer answer;
  answer.way = SinkAnswer::Way::kStall;
  return answer;
}

// A Loki that is healthy, as far as the doctor asks.
void MakeHealthy(ScriptableSink& sink) {
  sink.SetRoute("/ready", Answer(200, "ready\n"));
  sink.SetRoute("/loki/api/v1/status/buildinfo", Answer(200, R"({"version":"3.6.0"})"));
  sink.SetRoute(
      "/config",
      Answer(200, "limits_config:\n  max_line_size: 256KB\n  max_line_size_truncate: true\n"));
  sink.SetRoute("/metrics", Answer(200, "loki_ingester_memory_streams{t=\"a\"} 12\n"));
}

}  // namespace

TEST_CASE("doctor receiver: nobody listens", "[doctor]") {
  const ClosedPort port;
  Findings findings;

  ReachEndpoint({"127.0.0.1", port.number(), std::nullopt}, kLong, Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure receiver.connect"}));
  CHECK_THAT(FindingOf(findings, "receiver.connect").text, Contains("refused"));
  CHECK_THAT(FindingOf(findings, "receiver.connect").fix, Contains("nc -vz 127.0.0.1"));
}

TEST_CASE("doctor receiver: a name that is nowhere", "[doctor]") {
  Findings findings;

  ReachEndpoint({"no-such-host.invalid", 80, std::nullopt}, kLong, Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure receiver.name"}));
}

TEST_CASE("doctor receiver: a certificate that is as it should be", "[doctor]") {
  const TempDir dir;
  Findings findings;

  CHECK_THAT(Reach(MakeCertificate(dir.path(), "IP:127.0.0.1", -1, 300), true, findings),
             Equals(Strings{}));
  CHECK_THAT(FindingOf(findings, "receiver.tls").text, Contains("TLSv1.3"));
}

TEST_CASE("doctor receiver: certificates that nobody should trust, and why", "[doctor]") {
  struct Case {
    const char* name;
    int from_days;
    int to_days;
    bool trusted;
    Strings want;
    const char* text;
  };
  const auto c = GENERATE(values<Case>({
      {"IP:127.0.0.1", -20, -10, true, {"failure receiver.certificate"}, "expired on"},
      {"IP:127.0.0.1", 10, 20, true, {"failure receiver.certificate"}, "is not valid before"},
      {"IP:127.0.0.1", -1, 10, true, {"warning receiver.certificate"}, "expires on"},
      {"DNS:example.org",
       -1,
       300,
       true,
       {"failure receiver.certificate"},
       "is for DNS:example.org, not for 127.0.0.1"},
      {"IP:127.0.0.1", -1, 300, false, {"failure receiver.certificate"}, "did not sign"},
  }));
  INFO(c.text);
  const TempDir dir;
  Findings findings;

  CHECK_THAT(
      Reach(MakeCertificate(dir.path(), c.name, c.from_days, c.to_days), c.trusted, findings),
      Equals(c.want));
  CHECK_THAT(FindingOf(findings, "receiver.certificate").text, Contains(c.text));
  CHECK_FALSE(FindingOf(findings, "receiver.certificate").fix.empty());
}

TEST_CASE("doctor receiver: TLS where plain HTTP is spoken", "[doctor]") {
  const ScriptableSink sink;
  Findings findings;

  ReachEndpoint({"127.0.0.1", sink.port(), TlsOptions()}, kShort, Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure receiver.tls"}));
}

TEST_CASE("doctor receiver: TLS with one that says nothing ends in time", "[doctor]") {
  const SilentServer server;
  Findings findings;
  const auto begin = std::chrono::steady_clock::now();

  ReachEndpoint({"127.0.0.1", server.port(), TlsOptions()}, kShort, Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure receiver.tls"}));
  CHECK(std::chrono::steady_clock::now() - begin < kLong);
}

TEST_CASE("doctor Loki: one that is healthy", "[doctor]") {
  ScriptableSink sink;
  MakeHealthy(sink);
  Findings findings;

  CHECK_THAT(CheckLokiAt(ClientOf(sink), findings), Equals(Strings{}));
  CHECK(FindingOf(findings, "loki.version").text == "version 3.6.0");
  CHECK(FindingOf(findings, "loki.streams").text == "12 streams are active in it");
  CHECK(sink.accepted_entries() == 0);
}

TEST_CASE("doctor Loki: what its answers to a push mean", "[doctor]") {
  struct Case {
    int status;
    const char* body;
    const char* want;
    const char* fix;
  };
  const auto c = GENERATE(values<Case>({
      {401, "no org id", "failure loki.tenant", "tenant_id: NAME"},
      {401, "who are you", "failure loki.auth", "basic_auth"},
      {403, "", "failure loki.auth", "what one may do"},
      {404, "", "failure loki.path", "/ready"},
      {500, "broken", "failure loki.push", "docker logs loki"},
      {429, "slow down", "warning loki.rate", "ingestion_rate_mb"},
  }));
  INFO(c.status << " " << c.body);
  ScriptableSink sink;
  MakeHealthy(sink);
  sink.SetDefault(Answer(c.status, c.body));
  Findings findings;

  CHECK_THAT(CheckLokiAt(ClientOf(sink), findings), Equals(Strings{c.want}));
  CHECK_THAT(FindingOf(findings, Strings{c.want}[0].substr(8)).fix, Contains(c.fix));
}

TEST_CASE("doctor Loki: an empty push that is refused for being empty proves the way", "[doctor]") {
  ScriptableSink sink;
  MakeHealthy(sink);
  sink.SetDefault(Answer(422, "at least one valid stream is required"));
  Findings findings;

  CHECK_THAT(CheckLokiAt(ClientOf(sink), findings), Equals(Strings{}));
}

TEST_CASE("doctor Loki: one that is starting, full of streams and has refused entries",
          "[doctor]") {
  ScriptableSink sink;
  MakeHealthy(sink);
  sink.SetRoute("/ready", Answer(503, "Ingester not ready"));
  sink.SetRoute("/metrics",
                Answer(200,
                       "loki_ingester_memory_streams 20000\n"
                       "loki_discarded_samples_total{reason=\"line_too_long\",tenant=\"a\"} 7\n"));
  Findings findings;

  CHECK_THAT(CheckLokiAt(ClientOf(sink), findings),
             Equals(Strings{"warning loki.ready", "note loki.discarded", "warning loki.streams"}));
  CHECK_THAT(FindingOf(findings, "loki.discarded").text, Contains("7 line_too_long"));
}

TEST_CASE("doctor Loki: its clock is off", "[doctor]") {
  ScriptableSink sink;
  MakeHealthy(sink);
  SinkAnswer late = Answer(204);
  late.headers = {{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"}};
  sink.SetDefault(late);
  Findings findings;

  CheckLokiAt(ClientOf(sink), findings);

  CHECK(FindingOf(findings, "clock.skew").mark == Mark::kFailure);
}

TEST_CASE("doctor Loki: one that takes the connection and says nothing", "[doctor]") {
  ScriptableSink sink;
  sink.SetDefault(Stall());
  for (const char* const path : {"/ready", "/loki/api/v1/status/buildinfo", "/config", "/metrics"})
    sink.SetRoute(path, Stall());
  Findings findings;
  const auto begin = std::chrono::steady_clock::now();

  CHECK_THAT(CheckLokiAt(ClientOf(sink), findings, kShort), Equals(Strings{"failure loki.push"}));
  CHECK(std::chrono::steady_clock::now() - begin < kLong);
}

TEST_CASE("doctor Loki: a password in a file that is not there", "[doctor]") {
  const ScriptableSink sink;
  ClientConfig client = ClientOf(sink);
  client.http.basic_auth = BasicAuth{"me", "", "", "/none/password"};
  Findings findings;

  CHECK_THAT(CheckLokiAt(client, findings), Equals(Strings{"failure receiver.file"}));
}

}  // namespace agent::doctor
