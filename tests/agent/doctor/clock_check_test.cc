#include "agent/doctor/clock_check.h"

#include <cstdlib>
#include <ctime>
#include <string>

#include <catch2/catch.hpp>

#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "tests/agent/doctor/doctor_bed.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;

// The process's zone, for a while.
class Zone {
 public:
  explicit Zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

Subject WithStages(const std::string& yaml) {
  Subject subject = SubjectOf({});
  Problems problems("test", yaml);
  ScrapeConfig job;
  job.job_name = "app";
  job.pipeline_stages = std::make_shared<const ConfigNode>(LoadYaml(yaml, problems));
  subject.config.scrape_configs.push_back(job);
  return subject;
}

}  // namespace

TEST_CASE("doctor clock: the Date header", "[doctor]") {
  CHECK(ParseHttpDate("Thu, 01 Jan 1970 00:01:00 GMT") == 60);
  CHECK(ParseHttpDate("Sun, 22 Nov 2026 02:40:00 GMT") == 1795315200);
  CHECK_FALSE(ParseHttpDate("yesterday").has_value());
}

TEST_CASE("doctor clock: skew by how much it is", "[doctor]") {
  struct Case {
    int64_t ahead;
    Mark want;
    const char* text;
  };
  const auto c = GENERATE(values<Case>({{3, Mark::kOk, "agree"},
                                        {30, Mark::kWarning, "30 seconds ahead of that of Loki"},
                                        {-30, Mark::kWarning, "30 seconds behind that of Loki"},
                                        {700, Mark::kFailure, "700 seconds ahead of"},
                                        {-7000, Mark::kWarning, "behind"}}));
  Findings findings;

  ReportSkew("Loki", 1'800'000'000 + c.ahead, 1'800'000'000, Group(findings, "Clock"));

  CHECK(FindingOf(findings, "clock.skew").mark == c.want);
  CHECK_THAT(FindingOf(findings, "clock.skew").text, Contains(c.text));
}

TEST_CASE("doctor clock: times without a zone matter where the machine has one", "[doctor]") {
  struct Case {
    const char* zone;
    const char* stages;
    const char* want;  // The mark; "": nothing is said.
  };
  const auto c = GENERATE(values<Case>({
      {"UTC0", "[{timestamp: {source: t, format: '2006-01-02 15:04:05'}}]", "note"},
      {"XST-5", "[{timestamp: {source: t, format: '2006-01-02 15:04:05'}}]", "warning"},
      {"XST-5",
       "[{match: {selector: '{a=\"b\"}', stages: [{timestamp: {source: t, format: ANSIC}}]}}]",
       "warning"},
      {"XST-5", "[{timestamp: {source: t, format: '2006-01-02 15:04:05', location: Asia/Karachi}}]",
       ""},
      {"XST-5", "[{timestamp: {source: t, format: RFC3339}}]", ""},
      {"XST-5", "[{timestamp: {source: t, format: '02/Jan/2006:15:04:05 -0700'}}]", ""},
      {"XST-5", "[{timestamp: {source: t, format: Unix}}]", ""},
      {"XST-5", "[{timestamp: {source: t, format: '2006-01-02T15:04:05Z'}}]", ""},
      {"XST-5", "[{labels: {level: }}]", ""},
  }));
  INFO(c.zone << " " << c.stages);
  const Zone zone(c.zone);
  Findings findings;

  CheckClock(WithStages(c.stages), findings);

  const Finding finding = FindingOf(findings, "clock.zoneless");
  if (std::string(c.want).empty()) {
    CHECK(finding.text.empty());
  } else {
    CHECK(MarkName(finding.mark) == c.want);
  }
  if (finding.mark == Mark::kWarning) CHECK_THAT(finding.why, Contains("+05:00 off"));
}

}  // namespace agent::doctor
