#include "agent/doctor/report.h"

#include <catch2/catch.hpp>

namespace agent::doctor {
namespace {

std::vector<Finding> Some() {
  return {{Mark::kOk, "Output b (loki)", "receiver.connect", "it is there", "", ""},
          {Mark::kFailure, "Files", "files.permission", "no\x1b[31m", "they are lost", "chmod"},
          {Mark::kNote, "Output a (loki)", "loki.none", "well", "", ""},
          {Mark::kWarning, "Clock", "clock.skew", "late", "wrong", "ntp"}};
}

}  // namespace

TEST_CASE("doctor report: grouped, in the order of the groups", "[doctor]") {
  std::vector<Finding> findings = Some();

  SortByGroup(findings);

  CHECK(TextReport(findings, /*color=*/false) ==
        "Files\n"
        "  failure  no?[31m\n"
        "           why: they are lost\n"
        "           fix: chmod\n"
        "\n"
        "Clock\n"
        "  warning  late\n"
        "           why: wrong\n"
        "           fix: ntp\n"
        "\n"
        "Output a (loki)\n"
        "  note     well\n"
        "\n"
        "Output b (loki)\n"
        "  ok       it is there\n"
        "\n"
        "1 failure, 1 warning, 1 note, 1 ok\n");
}

TEST_CASE("doctor report: colours where they are wanted", "[doctor]") {
  const std::string report = TextReport(Some(), /*color=*/true);

  CHECK(report.find("\x1b[1;31mfailure\x1b[0m") != std::string::npos);
}

TEST_CASE("doctor report: JSON has every member of every finding", "[doctor]") {
  CHECK(JsonReport({Some()[1]}) ==
        "{\"findings\":[{\"mark\":\"failure\",\"group\":\"Files\",\"check\":\"files.permission\","
        "\"text\":\"no\\u001b[31m\",\"why\":\"they are lost\",\"fix\":\"chmod\"}],"
        "\"summary\":{\"failures\":1,\"warnings\":0,\"notes\":0,\"ok\":0}}\n");
}

}  // namespace agent::doctor
