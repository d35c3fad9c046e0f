#include "agent/http/html.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "agent/http/endpoints.h"
#include "agent/http/json_writer.h"
#include "tests/agent/http/fake_view.h"

namespace agent {
namespace {

using Catch::Contains;

struct Fixture {
  FakeView view;
  Logger logger{-1, LogLevel::kInfo, LogFormat::kLogfmt};
  ServerConfig config;
  HttpMetrics metrics;
  EndpointContext context{.view = view, .logger = logger, .config = config, .metrics = metrics};
};

constexpr const char* kEvil = "<script>alert('x')</script>\"&";
const ServerRequest kBrowser{.method = "GET",
                             .accept = "text/html,application/xhtml+xml,*/*;q=0.8"};
const ServerRequest kProgram{.method = "GET", .accept = "application/json"};

// Everything that a page can show is hostile.
FakeView EvilView() {
  FakeView view;
  view.info.hostname = kEvil;
  view.info.config_file = kEvil;
  view.readiness = {.ready = false, .reason = kEvil};
  view.config_text = kEvil;
  const Labels labels = {{"a", kEvil}, {kEvil, "b"}};
  const FileInfo file{.path = kEvil, .state = kEvil, .last_error = kEvil};
  view.jobs = {{.name = kEvil,
                .targets = {{.labels = labels,
                             .discovered_labels = labels,
                             .path_pattern = kEvil,
                             .last_error = kEvil,
                             .files = {file}}},
                .dropped = {{.discovered_labels = labels, .reason = kEvil, .detail = kEvil}},
                .dropped_count = 1,
                .problems = {kEvil}},
               {.name = kEvil}};
  view.outputs = {{.name = kEvil,
                   .kind = kEvil,
                   .receiver = kEvil,
                   .refused = {{kEvil, 1}},
                   .lanes = {{.tenant = kEvil, .state = kEvil, .last_error = kEvil}}}};
  view.ledger = {{.job = kEvil, .source = kEvil, .output = kEvil}};
  return view;
}

TEST_CASE("pages: every value is escaped and no script may run", "[http][pages]") {
  Fixture f;
  f.view = EvilView();
  const auto serve =
      GENERATE(&ServeTargets, &ServeServiceDiscovery, &ServeLedger, &ServeConfig, &ServeOutputs);

  const ServerResponse page = serve(kBrowser, f.context);

  CHECK(page.content_type == "text/html; charset=utf-8");
  CHECK_THAT(page.body, !Contains("<script") && !Contains("'x'"));
  CHECK_THAT(page.body, Contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
  const bool csp = std::any_of(page.headers.begin(), page.headers.end(), [](const auto& header) {
    return header.first == "Content-Security-Policy" &&
           header.second.starts_with("default-src 'none'");
  });
  CHECK(csp);
}

TEST_CASE("targets: a file's progress, lag and error are on the page", "[http][pages]") {
  Fixture f;
  f.view.jobs = {{.name = "varlogs",
                  .targets = {{.labels = {{"job", "varlogs"}},
                               .ready = true,
                               .files = {{.path = "/var/log/a.log",
                                          .device = 0x801,
                                          .inode = 12,
                                          .source_id = 0xabc,
                                          .generation = 1,
                                          .read_bytes = 2048,
                                          .settled_bytes = 1024,
                                          .size_bytes = 4096,
                                          .lag_seconds = 75,
                                          .state = "following",
                                          .last_error = "read: I/O error"}}}}}};

  const std::string page = ServeTargets(kBrowser, f.context).body;

  CHECK_THAT(page,
             Contains("/var/log/a.log") && Contains("dev 8:1 inode 12, id 0000000000000abc.1"));
  CHECK_THAT(page, Contains("<progress value=\"2048\" max=\"4096\">"));
  CHECK_THAT(page, Contains("title=\"3072 bytes\">3.00 KiB"));
  CHECK_THAT(page, Contains("1 min 15 s") && Contains("read: I/O error"));
}

TEST_CASE("targets: a label with too many values is named, with one of them", "[http][pages]") {
  Fixture f;
  f.view.jobs = {{.name = "j",
                  .labels = {{.name = "level", .values = 4, .limit = 10},
                             {.name = "user", .values = 12, .limit = 10, .sample = "<ann>"}}}};

  const std::string page = ServeTargets(kBrowser, f.context).body;

  CHECK_THAT(page, Contains("Label <code>user</code> has about 12 values; the limit is 10."));
  CHECK_THAT(page, Contains("One of them: <code>&lt;ann&gt;</code>."));
  CHECK_THAT(page, !Contains("level"));
}

TEST_CASE("outputs: what waits, where, and what was refused", "[http][pages]") {
  Fixture f;
  f.view.outputs = {
      {.name = "search",
       .kind = "elasticsearch",
       .receiver = "https://es-1:9200",
       .sent_entries = 1234567,
       .sent_bytes = 2048,
       .requests = 12,
       .failed_requests = 3,
       .retried_entries = 40,
       .refused = {{"mapping", 5}},
       .lanes = {{.state = "spilling",
                  .last_error = "connection refused",
                  .attempts = 7,
                  .queued_batches = 2,
                  .queued_bytes = 4096,
                  .oldest_seconds = 75,
                  .buffer = LaneBufferInfo{
                      .bytes = 1U << 20U, .batches = 3, .entries = 4000, .full = true}}}}};

  const std::string page = ServeOutputs(kBrowser, f.context).body;

  CHECK_THAT(page, Contains("1 waiting") && Contains("https://es-1:9200"));
  CHECK_THAT(page, Contains("<b>1,234,567</b> entries acknowledged"));
  CHECK_THAT(page, Contains("<b>5</b> refused: mapping") && Contains("<b>3</b> of them failed"));
  CHECK_THAT(page,
             Contains("4.00 KiB<small>2 batches") && Contains("1.00 MiB<small>4,000 entries"));
  CHECK_THAT(page, Contains(">full<") && Contains("1 min 15 s") && Contains("connection refused"));
  const std::string want =
      R"({"outputs":[{"name":"search","kind":"elasticsearch","receiver":"https://es-1:9200",)"
      R"("sent_entries":1234567,"sent_bytes":2048,"requests":12,"failed_requests":3,)"
      R"("retried_entries":40,"duplicate_entries":0,"repaired_entries":0,)"
      R"("refused_entries":{"mapping":5},"lanes":[{"tenant":"","state":"spilling","attempts":7,)"
      R"("queued_batches":2,"queued_bytes":4096,"oldest_seconds":75,)"
      R"("last_error":"connection refused","buffer":{"bytes":1048576,"batches":3,"entries":4000,)"
      R"("full":true}}]}]})"
      "\n";
  CHECK(ServeOutputs(kProgram, f.context).body == want);
}

TEST_CASE("targets: programs get JSON with exact numbers", "[http][pages]") {
  Fixture f;
  f.view.jobs = {{.name = "j",
                  .targets = {{.labels = {{"a", "b\n"}},
                               .ready = true,
                               .path_pattern = "/x/*",
                               .files = {{.path = "/x/y",
                                          .device = 0x801,
                                          .inode = 12,
                                          .read_bytes = 3,
                                          .settled_bytes = 2,
                                          .size_bytes = 5,
                                          .lag_seconds = 1.5,
                                          .state = "following"}}}},
                  .labels = {{.name = "u",
                              .values = 1204,
                              .from_targets = 1,
                              .limit = 1000,
                              .exceeded = 230,
                              .sample = "x\"y"}}}};
  f.view.outputs = {
      {.name = "loki", .kind = "loki", .receiver = "http://l", .lanes = {{.state = "idle"}}}};
  const std::string want =
      R"({"jobs":[{"name":"j","targets":[{"labels":{"a":"b\u000a"},"discovered_labels":{},)"
      R"("path":"/x/*","ready":true,"last_error":"","waits_for":"","files":[{"path":"/x/y",)"
      R"("identity":"dev 8:1 inode 12, id 0000000000000000.0","device":2049,"inode":12,)"
      R"("source_id":"0000000000000000.0","state":"following","size_bytes":5,"read_bytes":3,"settled_bytes":2,"lag_bytes":3,)"
      R"("lag_seconds":1.5,"last_error":""}]}],"labels":[{"name":"u","values":1204,"from_targets":1,)"
      R"("limit":1000,"exceeded":230,"sample":"x\"y"}],"dropped_count":0}],"outputs":[{"output":"loki",)"
      R"("kind":"loki","receiver":"http://l","tenant":"","state":"idle","attempts":0,)"
      R"("queued_batches":0,"queued_bytes":0,"oldest_seconds":0,"last_error":""}]})"
      "\n";

  CHECK(ServeTargets(kProgram, f.context).body == want);
  ServerRequest by_query = kBrowser;
  by_query.query["format"] = "json";
  CHECK(ServeTargets(by_query, f.context).body == want);
  CHECK(ServeTargets(by_query, f.context).content_type == "application/json");
}

TEST_CASE("targets: thousands of files are cut on the page, not in the JSON", "[http][pages]") {
  Fixture f;
  f.view.jobs = {{.name = "j", .targets = {{}, {}}}};
  f.view.jobs[0].targets[0].files.resize(1500);
  f.view.jobs[0].targets[1].files.resize(700);

  CHECK_THAT(ServeTargets(kBrowser, f.context).body, Contains("200 more files"));
  const std::string json = ServeTargets(kProgram, f.context).body;
  CHECK(std::count(json.begin(), json.end(), '{') == 1 + 1 + 2 * 3 + 2200);
}

TEST_CASE("service discovery: dropped targets with their reason, at most a hundred a job",
          "[http][pages]") {
  Fixture f;
  const DroppedTargetInfo dropped{.discovered_labels = {{"__address__", "x"}},
                                  .reason = "dropped",
                                  .detail = "relabel_configs[2] (action keep)"};
  f.view.jobs = {{.name = "j",
                  .targets = {},
                  .dropped = std::vector<DroppedTargetInfo>(120, dropped),
                  .dropped_count = 1000}};

  const std::string page = ServeServiceDiscovery(kBrowser, f.context).body;

  CHECK_THAT(page,
             Contains("0 targets, 1000 dropped") && Contains("relabel_configs[2] (action keep)"));
  CHECK_THAT(page, Contains("900 more."));
  CHECK_THAT(ServeServiceDiscovery(kProgram, f.context).body, Contains("\"dropped_count\":1000"));
}

TEST_CASE("pages: one job can be chosen, with a plain form", "[http][pages]") {
  Fixture f;
  f.view.jobs = {{.name = "one & only", .targets = {{.path_pattern = "/one"}}},
                 {.name = "two", .targets = {{.path_pattern = "/two"}}}};
  const auto serve = GENERATE(&ServeTargets, &ServeServiceDiscovery);
  ServerRequest chosen = kBrowser;
  chosen.query["job"] = "one & only";
  ServerRequest nobody = kBrowser;
  nobody.query["job"] = "three";

  CHECK_THAT(serve(kBrowser, f.context).body, Contains("<form class=\"filter\" method=\"get\"") &&
                                                  Contains("/one") && Contains("/two") &&
                                                  Contains("<option value=\"two\">two</option>"));
  CHECK_THAT(serve(chosen, f.context).body,
             Contains("<option value=\"one &amp; only\" selected>") && Contains("/one") &&
                 !Contains("/two"));
  CHECK_THAT(serve(nobody, f.context).body, Contains("There is no such job."));
  chosen.query["format"] = "json";
  CHECK_THAT(serve(chosen, f.context).body, Contains("one & only") && !Contains("\"two\""));
}

TEST_CASE("service discovery: what cannot be read is told", "[http][pages]") {
  Fixture f;
  f.view.jobs = {{.name = "j", .problems = {"t.yml:1:2: wrong"}}};

  CHECK_THAT(ServeServiceDiscovery(kBrowser, f.context).body, Contains("t.yml:1:2: wrong"));
  CHECK_THAT(ServeServiceDiscovery(kProgram, f.context).body,
             Contains(R"("problems":["t.yml:1:2: wrong"])"));
}

TEST_CASE("ledger: JSON for programs says for each row whether it balances", "[http][pages]") {
  Fixture f;
  f.view.ledger = {{.job = "j",
                    .source = "/a",
                    .output = "loki",
                    .read = 10,
                    .settled = 6,
                    .dropped = 1,
                    .in_flight = 3}};
  ServerRequest curl{.method = "GET", .accept = "*/*"};
  CHECK(ServeLedger(curl, f.context).body ==
        R"({"balanced":true,"sources":[{"job":"j","source":"/a","output":"loki","read":10,)"
        R"("settled":6,"dropped":1,"in_flight":3,"balanced":true}]})"
        "\n");

  f.view.ledger[0].in_flight = 2;
  CHECK_THAT(ServeLedger(curl, f.context).body, Contains("{\"balanced\":false,"));
  CHECK_THAT(ServeLedger(kBrowser, f.context).body, Contains("Differs"));
}

TEST_CASE("config: the masked text, as a page or as it is", "[http][pages]") {
  Fixture f;
  f.view.config_text = "password: <secret>\n";
  CHECK_THAT(ServeConfig(kBrowser, f.context).body, Contains("password: &lt;secret&gt;\n"));
  ServerRequest text = kBrowser;
  text.query["format"] = "yaml";
  CHECK(ServeConfig(text, f.context).body == "password: <secret>\n");
}

TEST_CASE("html: sizes and durations are short", "[http][pages]") {
  CHECK(FormatBytes(0) == "0 B");
  CHECK(FormatBytes(1023) == "1023 B");
  CHECK(FormatBytes(1024) == "1.00 KiB");
  CHECK(FormatBytes(12'897'485) == "12.3 MiB");
  CHECK(FormatBytes(1048575) == "1.00 MiB");
  CHECK(FormatBytes(~uint64_t{0}) == "16.0 EiB");
  CHECK(FormatSeconds(0) == "0 s");
  CHECK(FormatSeconds(3.21) == "3.2 s");
  CHECK(FormatSeconds(59.4) == "59 s");
  CHECK(FormatSeconds(65) == "1 min 5 s");
  CHECK(FormatSeconds(1800) == "30 min");
  CHECK(FormatSeconds(7860) == "2 h 11 min");
  CHECK(FormatSeconds(273600) == "3 d 4 h");
}

TEST_CASE("json: bad bytes, control characters and nesting come out well-formed", "[http]") {
  JsonWriter json;
  json.BeginArray().BeginObject().EndObject().BeginArray().EndArray();
  json.String("a\"\\\x01\xff").Number(uint64_t{18446744073709551615U}).Number(0.5).Bool(false);
  json.EndArray();
  CHECK(json.Take() == "[{},[],\"a\\\"\\\\\\u0001\xEF\xBF\xBD\",18446744073709551615,0.5,false]");
}

}  // namespace
}  // namespace agent
