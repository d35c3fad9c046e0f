#include "agent/doctor/loki_limits.h"

#include <sys/stat.h>
#include <utime.h>

#include <ctime>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/fetch.h"
#include "base/config/problems.h"
#include "tests/agent/doctor/doctor_bed.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using Strings = std::vector<std::string>;

Subject WithJob(const std::string& stages) {
  Subject subject = SubjectOf({});
  Problems problems("test", stages);
  ScrapeConfig job;
  job.job_name = "app";
  job.pipeline_stages = std::make_shared<const ConfigNode>(LoadYaml(stages, problems));
  subject.config.scrape_configs.push_back(job);
  auto target = std::make_shared<Target>();
  target->labels = {{"job", "app"}, {"host", "a"}};
  target->path = "/none";
  subject.targets.jobs[0].targets.push_back(target);
  ClientConfig client;
  client.name = "loki";
  subject.config.clients.push_back(client);
  return subject;
}

Strings ComplaintsOf(const Subject& subject, const std::string& config) {
  Findings findings;
  ReportLokiLimits(subject, subject.config.clients[0], ParseAnswer(config),
                   Group(findings, "Output"));
  return Complaints(findings);
}

}  // namespace

TEST_CASE("doctor Loki: sizes and durations as Go writes them", "[doctor]") {
  CHECK(ParseGoSize("256KB") == 262144U);
  CHECK(ParseGoSize("4MB") == 4194304U);
  CHECK(ParseGoSize("1.5GB") == 1610612736U);
  CHECK(ParseGoSize("1024") == 1024U);
  CHECK_FALSE(ParseGoSize("").has_value());
  CHECK_FALSE(ParseGoSize("many").has_value());
  CHECK(ParseGoDuration("1w") == 604800);
  CHECK(ParseGoDuration("168h0m0s") == 604800);
  CHECK(ParseGoDuration("0s") == 0);
  CHECK(ParseGoDuration("1m30s") == 90);
  CHECK_FALSE(ParseGoDuration("soon").has_value());
  CHECK_FALSE(ParseGoDuration("5").has_value());
}

TEST_CASE("doctor Loki: more labels than it takes", "[doctor]") {
  // job, host, filename, level, and what the client adds.
  Subject subject =
      WithJob("[{json: {expressions: {a: }}}, {match: {stages: [{labels: {level: }}]}}]");
  subject.config.clients[0].external_labels = {{"cluster", "x"}};

  CHECK_THAT(ComplaintsOf(subject, "limits_config: {max_label_names_per_series: 5}"),
             Equals(Strings{}));
  CHECK_THAT(ComplaintsOf(subject, "limits_config: {max_label_names_per_series: 4}"),
             Equals(Strings{"failure loki.label_names"}));
}

TEST_CASE("doctor Loki: a job that sends elsewhere is not held against it", "[doctor]") {
  Subject subject = WithJob("[{labels: {level: }}]");
  subject.config.scrape_configs[0].outputs = {"other"};

  CHECK_THAT(ComplaintsOf(subject, "limits_config: {max_label_names_per_series: 1}"),
             Equals(Strings{}));
}

TEST_CASE("doctor Loki: structured metadata that it does not take", "[doctor]") {
  const std::string off = "limits_config: {allow_structured_metadata: false}";

  CHECK_THAT(ComplaintsOf(WithJob("[{structured_metadata: {trace: }}]"), off),
             Equals(Strings{"failure loki.structured_metadata"}));
  CHECK_THAT(ComplaintsOf(WithJob("[{labels: {trace: }}]"), off), Equals(Strings{}));
  CHECK_THAT(ComplaintsOf(WithJob("[{structured_metadata: {trace: }}]"),
                          "limits_config: {allow_structured_metadata: true}"),
             Equals(Strings{}));
}

TEST_CASE("doctor Loki: long lines", "[doctor]") {
  Subject subject = WithJob("[]");
  const std::string limits = "limits_config: {max_line_size: 256KB}";

  CHECK_THAT(ComplaintsOf(subject, limits), Equals(Strings{"note loki.line_size"}));
  CHECK_THAT(
      ComplaintsOf(subject, "limits_config: {max_line_size: 256KB, max_line_size_truncate: true}"),
      Equals(Strings{}));
  subject.config.limits.max_line_size_bytes = 262144;
  CHECK_THAT(ComplaintsOf(subject, limits), Equals(Strings{}));
}

TEST_CASE("doctor Loki: files that are older than what it takes, and not read yet", "[doctor]") {
  const TempDir dir;
  const std::string path = dir.path() + "/old.log";
  WriteFile(path, "twelve bytes");
  const utimbuf times{std::time(nullptr) - 10 * 86400, std::time(nullptr) - 10 * 86400};
  REQUIRE(::utime(path.c_str(), &times) == 0);
  Subject subject = WithJob("[]");
  FilePattern pattern;
  pattern.path = path;
  subject.targets.patterns.push_back(pattern);
  subject.config.positions.filename = dir.path() + "/positions.yaml";
  const std::string week =
      "limits_config: {reject_old_samples: true, reject_old_samples_max_age: 1w}";

  CHECK_THAT(ComplaintsOf(subject, week), Equals(Strings{"warning loki.old_samples"}));
  CHECK_THAT(ComplaintsOf(subject, "limits_config: {reject_old_samples: false}"),
             Equals(Strings{}));
  WriteFile(subject.config.positions.filename, "positions:\n  " + path + ": \"12\"\n");
  CHECK_THAT(ComplaintsOf(subject, week), Equals(Strings{}));
}

TEST_CASE("doctor Loki: batches that are larger than what it hands on", "[doctor]") {
  Subject subject = WithJob("[]");
  subject.config.clients[0].batch_size_bytes = 3U << 20U;

  CHECK_THAT(ComplaintsOf(subject,
                          "{limits_config: {}, server: {grpc_server_max_recv_msg_size: 4194304}}"),
             Equals(Strings{"warning loki.batch_size"}));
}

}  // namespace agent::doctor
