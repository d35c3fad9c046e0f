#include "agent/receivers/push/push_receiver.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/http/listen.h"
#include "base/clock.h"
#include "tests/agent/http/loopback_client.h"
#include "tests/support/recording_metrics.h"

namespace agent {
namespace {

// Keeps the source, and reads it when the test wants it.
class KeepingHost final : public SourceHost {
 public:
  void Start(std::shared_ptr<Source> started) override { source = std::move(started); }
  void Wake(const std::shared_ptr<Source>& /*source*/) override { ++wakes; }
  void Stop(const std::shared_ptr<Source>& /*source*/) override {}

  std::shared_ptr<Source> source;
  int wakes = 0;
};

struct Fixture {
  Fixture() {
    push.server.http_listen_address = "127.0.0.1";
    push.server.http_listen_port = 0;
    push.labels = {{"job", "pushed"}, {"__hidden", "h"}};
    push.use_incoming_timestamp = true;
    RelabelRule drop;
    drop.action = RelabelAction::kDrop;
    drop.source_labels = {"drop"};
    drop.regex = "me";
    RelabelRule copy;
    copy.source_labels = {"__hidden"};
    copy.target_label = "shown";
    job.job_name = "j";
    job.relabel_configs = {drop, copy};
  }

  void Start() {
    job.loki_push_api = push;
    auto rules = Relabeling::Compile(job.relabel_configs);
    REQUIRE(rules.ok());
    receiver = std::make_unique<PushReceiver>(
        job, std::move(*rules),
        PushReceiver::Dependencies{.loop = loop, .clock = clock, .logger = logger});
    receiver->Start(host, 1);
  }

  ClientAnswer Post(const std::string& path, const std::string& body,
                    const std::vector<std::string>& headers) {
    curl_slist* list = nullptr;
    for (const std::string& header : headers)
      list = curl_slist_append(list, header.c_str());
    const std::string url = "http://127.0.0.1:" + std::to_string(receiver->port()) + path;
    const ClientAnswer answer = client.Ask(url, [&](CURL* curl) {
      curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
      curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
    });
    curl_slist_free_all(list);
    return answer;
  }
  ClientAnswer PostJson(const std::string& body, const std::vector<std::string>& more = {}) {
    std::vector<std::string> headers = {"Content-Type: application/json", "Expect:"};
    headers.insert(headers.end(), more.begin(), more.end());
    return Post("/loki/api/v1/push", body, headers);
  }

  // What came, "labels time line", one a line.
  std::string Read() {
    BlockBuffer buffer;
    std::string out;
    Chunk chunk;
    while (host.source->Read(buffer, 1U << 20U, chunk) == ReadStatus::kData) {
      for (const ChunkLine& line : chunk.lines) {
        out += FormatLabels(*line.labels) + " " +
               (line.timestamp_ns ? std::to_string(*line.timestamp_ns) : "now") + " " +
               std::string(line.text);
        for (const Metadata& pair : line.metadata)
          out.append(" ").append(pair.name).append("=").append(pair.value);
        out += "\n";
      }
      chunk = {};
    }
    return out;
  }

  Loop loop;
  SystemClock clock;
  Logger logger{-1, LogLevel::kInfo, LogFormat::kLogfmt};
  KeepingHost host;
  ScrapeConfig job;
  LokiPushConfig push;
  std::unique_ptr<PushReceiver> receiver;
  LoopbackClient client{loop};
};

std::string Stream(const std::string& labels, const std::string& line) {
  return R"({"stream":{)" + labels + R"(},"values":[["7",")" + line + R"("]]})";
}

std::string Streams(const std::string& streams) {
  return R"({"streams":[)" + streams + "]}";
}

}  // namespace

TEST_CASE("push: entries go through the rules, and a stream that is dropped takes no other along",
          "[push]") {
  Fixture f;
  f.Start();

  const ClientAnswer answer =
      f.PostJson(Streams(Stream(R"("a":"1","job":"theirs","__x":"y")", "one") + "," +
                         Stream(R"("drop":"me")", "two") + "," + Stream("", "three")));

  CHECK(answer.status == 204);
  CHECK(answer.body.empty());
  CHECK(f.host.wakes == 1);
  CHECK(f.Read() ==
        "{a=\"1\", job=\"pushed\", shown=\"h\"} 7 one\n{job=\"pushed\", shown=\"h\"} 7 three\n");
  RecordingMetrics metrics;
  f.receiver->CollectMetrics(metrics);
  CHECK(metrics.Value("agent_push_entries_total j") == 2);
  CHECK(metrics.Value("agent_push_dropped_entries_total j") == 1);
  CHECK(metrics.Value("agent_push_requests_total j 204") == 1);
}

TEST_CASE("push: without use_incoming_timestamp it is the time of reading", "[push]") {
  Fixture f;
  f.push.use_incoming_timestamp = false;
  f.Start();

  REQUIRE(f.PostJson(Streams(Stream("", "x"))).status == 204);

  CHECK(f.Read() == "{job=\"pushed\", shown=\"h\"} now x\n");
}

TEST_CASE("push: raw lines have the configured labels, all of them, and no rules", "[push]") {
  Fixture f;
  f.Start();

  REQUIRE(f.Post("/promtail/api/v1/raw", "one\r\n\ntwo", {"Expect:"}).status == 204);

  CHECK(f.Read() ==
        "{__hidden=\"h\", job=\"pushed\"} now one\n{__hidden=\"h\", job=\"pushed\"} now two\n");
}

TEST_CASE("push: the tenant of a request counts where the job says so", "[push]") {
  Fixture f;
  f.push.use_incoming_tenant = GENERATE(false, true);
  f.Start();

  REQUIRE(f.PostJson(Streams(Stream("", "x")), {"X-Scope-OrgID: team-a"}).status == 204);
  const ClientAnswer bad = f.PostJson(Streams(Stream("", "y")), {"X-Scope-OrgID: a b"});

  if (f.push.use_incoming_tenant) {
    CHECK(f.Read() == "{__tenant_id__=\"team-a\", job=\"pushed\", shown=\"h\"} 7 x\n");
    CHECK(bad.status == 400);
    CHECK_THAT(bad.body, Catch::Contains("X-Scope-OrgID"));
  } else {
    CHECK(f.Read() == "{job=\"pushed\", shown=\"h\"} 7 x\n{job=\"pushed\", shown=\"h\"} 7 y\n");
    CHECK(bad.status == 204);
  }
}

TEST_CASE("push: of a request that is wrong anywhere nothing is taken", "[push]") {
  Fixture f;
  f.Start();

  const ClientAnswer answer =
      f.PostJson(Streams(Stream("", "good") + "," + Stream(R"("a.b":"1")", "bad")));

  CHECK(answer.status == 400);
  CHECK(answer.body == "a label has a name that is none\n");
  CHECK(f.Read().empty());
}

TEST_CASE("push: what is too large is 413, when the client has sent all of it", "[push]") {
  Fixture f;
  f.push.max_body_bytes = 1000;
  f.Start();

  const std::vector<std::string> headers = {"Content-Type: application/json", "Expect:"};
  std::vector<std::string> chunked = headers;
  chunked.emplace_back("Transfer-Encoding: chunked");
  const std::string large = Streams(Stream("", std::string(2000, 'x')));
  CHECK(f.PostJson(large).status == 413);
  CHECK(f.Post("/loki/api/v1/push", large, chunked).status == 413);
  CHECK(f.PostJson(std::string(900, ' ') + Streams(Stream("", "fits"))).status == 204);
  // It would not be read to its end.
  const ClientAnswer huge = f.PostJson(std::string(100'000, ' '));
  CHECK((huge.status == 413 || huge.error != CURLE_OK));

  CHECK(f.Read() == "{job=\"pushed\", shown=\"h\"} 7 fits\n");
  RecordingMetrics metrics;
  f.receiver->CollectMetrics(metrics);
  CHECK(metrics.Value("agent_push_requests_total j 413") >= 2);
}

TEST_CASE("push: a full queue refuses whole requests until there is room", "[push]") {
  Fixture f;
  f.Start();
  const std::string line(1'000'000, 'x');
  const std::string whole = Streams(Stream("", line) + "," + Stream("", line));

  int taken = 0;
  ClientAnswer answer;
  while ((answer = f.PostJson(whole)).status == 204)
    ++taken;

  CHECK(answer.status == 503);
  CHECK_THAT(answer.head, Catch::Contains("Retry-After: 1"));
  CHECK(taken >= 1);
  CHECK(taken <= 3);
  const std::string read = f.Read();
  CHECK(std::count(read.begin(), read.end(), '\n') == 2 * taken);
  CHECK(f.PostJson(whole).status == 204);
}

TEST_CASE("push: endpoints, their methods, and the prefix", "[push]") {
  Fixture f;
  f.push.server.http_path_prefix = "/in";
  f.Start();
  const std::string url = "http://127.0.0.1:" + std::to_string(f.receiver->port());

  const ClientAnswer ready = f.client.Ask(url + "/in/ready");
  CHECK(ready.status == 200);
  CHECK(ready.body == "ready");
  CHECK(f.client.Ask(url + "/ready").status == 404);
  CHECK(f.client.Ask(url + "/in/metrics").status == 404);
  const ClientAnswer get = f.client.Ask(url + "/in/loki/api/v1/push");
  CHECK(get.status == 405);
  CHECK_THAT(get.head, Catch::Contains("Allow: POST"));
  CHECK(f.Post("/in/ready", "", {}).status == 405);
  CHECK(f.Post("/in/promtail/api/v1/raw", "x", {}).status == 204);
}

TEST_CASE("push: a port that is taken is reported, and a stopped receiver gives it back",
          "[push]") {
  Fixture f;
  const auto taken = ListenOn("127.0.0.1", 0);
  REQUIRE(taken.ok());
  f.push.server.http_listen_port = BoundPort(*taken);
  f.Start();

  CHECK(f.receiver->port() == 0);
  CHECK_THAT(f.receiver->Status()[0].error, Catch::Contains("bind"));
  f.receiver->Stop();

  Fixture other;
  other.Start();
  const uint16_t port = other.receiver->port();
  CHECK(other.receiver->Status()[0].error.empty());
  other.receiver->Stop();
  CHECK(ListenOn("127.0.0.1", port).ok());
}

}  // namespace agent
