#include <cstddef>
#include <string>

#include "agent/pipeline_test/report.h"
#include "base/utf8.h"

namespace agent {
namespace {

// XML cannot have control characters at all.
std::string Xml(std::string_view text) {
  std::string clean;
  AppendSanitized(text, clean);
  std::string out;
  for (const char c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (byte < 0x20 && c != '\n' && c != '\t') {
      out += '?';
    } else {
      out += c;
    }
  }
  return out;
}

void AppendCase(const TestReport& report, std::string& out) {
  out += "    <testcase classname=\"" + Xml(report.file) + "\" name=\"" + Xml(report.name) +
         "\" file=\"" + Xml(report.file) + "\" line=\"" + std::to_string(report.line) + "\"";
  if (report.status != TestStatus::kFailed) {
    out += "/>\n";
    return;
  }
  std::string text;
  for (const DifferenceRow& row : report.difference) {
    if (row.kind == DifferenceRow::Kind::kExpected) text += "- ";
    if (row.kind == DifferenceRow::Kind::kGot) text += "+ ";
    text += row.text + "\n";
  }
  out += ">\n      <failure message=\"not as expected\">" + Xml(text) +
         "</failure>\n    </testcase>\n";
}

}  // namespace

std::string FormatReportJunit(const std::vector<TestReport>& reports) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  std::size_t begin = 0;
  while (begin < reports.size()) {
    std::size_t end = begin;
    std::size_t failed = 0;
    std::string cases;
    for (; end < reports.size() && reports[end].file == reports[begin].file; ++end) {
      AppendCase(reports[end], cases);
      if (reports[end].status == TestStatus::kFailed) ++failed;
    }
    out += "  <testsuite name=\"" + Xml(reports[begin].file) + "\" tests=\"" +
           std::to_string(end - begin) + "\" failures=\"" + std::to_string(failed) + "\">\n" +
           cases + "  </testsuite>\n";
    begin = end;
  }
  return out + "</testsuites>\n";
}

}  // namespace agent
