#include <set>
#include <string>

#include "agent/pipeline_test/report.h"

namespace agent {
namespace {

constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kStrongRed = "\x1b[1;31m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string Paint(std::string_view color, std::string_view text, bool on) {
  if (!on) return std::string(text);
  return std::string(color) + std::string(text) + std::string(kPlain);
}

void AppendDifference(const TestReport& report, bool color, std::string& out) {
  for (const DifferenceRow& row : report.difference) {
    switch (row.kind) {
      case DifferenceRow::Kind::kHeading:
        out += "  " + row.text;
        break;
      case DifferenceRow::Kind::kNote:
        out += "    " + row.text;
        break;
      case DifferenceRow::Kind::kExpected:
        out += "    " + Paint(kRed, "- " + row.text, color);
        break;
      case DifferenceRow::Kind::kGot:
        out += "    " + Paint(kGreen, "+ " + row.text, color);
        break;
    }
    out += '\n';
  }
}

std::string CountOf(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string Summary(const std::vector<TestReport>& reports, bool color) {
  if (reports.empty()) return {};
  std::set<std::string_view> files;
  for (const TestReport& report : reports)
    files.insert(report.file);
  const TestCounts counts = CountTests(reports);
  std::string out = CountOf(reports.size(), "test") + " in " + CountOf(files.size(), "file") + ": ";
  out += Paint(kGreen, std::to_string(counts.passed) + " passed", color && counts.failed == 0);
  if (counts.updated > 0) {
    out += ", " + Paint(kYellow, std::to_string(counts.updated) + " updated", color);
  }
  if (counts.failed > 0) {
    out += ", " + Paint(kStrongRed, std::to_string(counts.failed) + " failed", color);
  }
  return out + "\n";
}

}  // namespace

TestCounts CountTests(const std::vector<TestReport>& reports) {
  TestCounts counts;
  for (const TestReport& report : reports) {
    if (report.status == TestStatus::kPassed) ++counts.passed;
    if (report.status == TestStatus::kFailed) ++counts.failed;
    if (report.status == TestStatus::kUpdated) ++counts.updated;
  }
  return counts;
}

std::string_view TestStatusName(TestStatus status) {
  switch (status) {
    case TestStatus::kPassed:
      return "passed";
    case TestStatus::kFailed:
      return "failed";
    case TestStatus::kUpdated:
      break;
  }
  return "updated";
}

std::string FormatReportText(const std::vector<TestReport>& reports,
                             const ReportTextOptions& options) {
  std::string out;
  for (const TestReport& report : reports) {
    const std::string place = report.file + ":" + std::to_string(report.line) + ": " + report.name;
    switch (report.status) {
      case TestStatus::kPassed:
        if (options.verbose) out += Paint(kGreen, "ok", options.color) + "       " + place + "\n";
        break;
      case TestStatus::kUpdated:
        out += Paint(kYellow, "updated", options.color) + "  " + place + "\n";
        if (options.verbose) AppendDifference(report, options.color, out);
        break;
      case TestStatus::kFailed:
        out += Paint(kStrongRed, "FAILED", options.color) + "   " + place + "\n";
        AppendDifference(report, options.color, out);
        out += '\n';
        break;
    }
  }
  return out + Summary(reports, options.color);
}

}  // namespace agent
