#include <string>

#include "agent/http/json_writer.h"
#include "agent/pipeline_test/report.h"

namespace agent {
namespace {

std::string_view SignOf(DifferenceRow::Kind kind) {
  switch (kind) {
    case DifferenceRow::Kind::kExpected:
      return "-";
    case DifferenceRow::Kind::kGot:
      return "+";
    case DifferenceRow::Kind::kHeading:
    case DifferenceRow::Kind::kNote:
      break;
  }
  return " ";
}

}  // namespace

std::string FormatReportJson(const std::vector<TestReport>& reports) {
  JsonWriter json;
  json.BeginObject().Key("tests").BeginArray();
  for (const TestReport& report : reports) {
    json.BeginObject().Key("file").String(report.file);
    json.Key("line").Number(uint64_t{report.line});
    json.Key("name").String(report.name);
    json.Key("status").String(TestStatusName(report.status));
    json.Key("difference").BeginArray();
    for (const DifferenceRow& row : report.difference) {
      json.BeginObject().Key("sign").String(SignOf(row.kind));
      json.Key("text").String(row.text).EndObject();
    }
    json.EndArray().EndObject();
  }
  const TestCounts counts = CountTests(reports);
  json.EndArray().Key("passed").Number(uint64_t{counts.passed});
  json.Key("failed").Number(uint64_t{counts.failed});
  json.Key("updated").Number(uint64_t{counts.updated}).EndObject();
  return json.Take() + "\n";
}

}  // namespace agent
