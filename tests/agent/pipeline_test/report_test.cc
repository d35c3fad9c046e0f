#include "agent/pipeline_test/report.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using Kind = DifferenceRow::Kind;

const std::vector<TestReport> kReports = {
    {"a.yaml", 4, "one", TestStatus::kPassed, {}},
    {"a.yaml",
     9,
     "two <&> \"quoted\"",
     TestStatus::kFailed,
     {{Kind::kHeading, "entry 1"},
      {Kind::kExpected, "line: \"\x1b\""},
      {Kind::kGot, "line: \"b\""}}},
    {"b.yaml", 2, "three", TestStatus::kUpdated, {{Kind::kHeading, "metrics"}}},
};

}  // namespace

TEST_CASE("pipeline tests: the report for a person names what failed, and counts",
          "[pipeline_test]") {
  CHECK(FormatReportText(kReports, {}) ==
        "FAILED   a.yaml:9: two <&> \"quoted\"\n"
        "  entry 1\n"
        "    - line: \"\x1b\"\n"
        "    + line: \"b\"\n"
        "\n"
        "updated  b.yaml:2: three\n"
        "3 tests in 2 files: 1 passed, 1 updated, 1 failed\n");
  CHECK(FormatReportText(kReports, {false, true}).starts_with("ok       a.yaml:4: one\n"));
  CHECK(FormatReportText(kReports, {true, false}).find("    \x1b[32m+ line: \"b\"\x1b[0m\n") !=
        std::string::npos);
}

TEST_CASE("pipeline tests: the report for tools", "[pipeline_test]") {
  CHECK(FormatReportJson(kReports) ==
        R"({"tests":[{"file":"a.yaml","line":4,"name":"one","status":"passed","difference":[]},)"
        R"({"file":"a.yaml","line":9,"name":"two <&> \"quoted\"","status":"failed","difference":[)"
        R"({"sign":" ","text":"entry 1"},{"sign":"-","text":"line: \"\u001b\""},)"
        R"({"sign":"+","text":"line: \"b\""}]},)"
        R"({"file":"b.yaml","line":2,"name":"three","status":"updated","difference":[)"
        R"({"sign":" ","text":"metrics"}]}],"passed":1,"failed":1,"updated":1})"
        "\n");
}

TEST_CASE("pipeline tests: the report for build servers", "[pipeline_test]") {
  CHECK(FormatReportJunit(kReports) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"a.yaml\" tests=\"2\" failures=\"1\">\n"
        "    <testcase classname=\"a.yaml\" name=\"one\" file=\"a.yaml\" line=\"4\"/>\n"
        "    <testcase classname=\"a.yaml\" name=\"two &lt;&amp;&gt; &quot;quoted&quot;\" "
        "file=\"a.yaml\" line=\"9\">\n"
        "      <failure message=\"not as expected\">entry 1\n"
        "- line: &quot;?&quot;\n"
        "+ line: &quot;b&quot;\n"
        "</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "  <testsuite name=\"b.yaml\" tests=\"1\" failures=\"0\">\n"
        "    <testcase classname=\"b.yaml\" name=\"three\" file=\"b.yaml\" line=\"2\"/>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

}  // namespace agent
