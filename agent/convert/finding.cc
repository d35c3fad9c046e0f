#include "agent/convert/finding.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

namespace agent::convert {
namespace {

struct KindText {
  std::string_view name;     // Of one finding.
  std::string_view counted;  // Behind a number, in the summary.
  std::string_view color;
};
constexpr std::array<KindText, 4> kKinds = {{
    {"no equivalent", "without equivalent", "\x1b[31m"},
    {"differs", "to know", "\x1b[33m"},
    {"no effect", "without effect", "\x1b[2m"},
    {"deprecated", "deprecated", "\x1b[36m"},
}};
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

const KindText& TextOf(FindingKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

bool IsSame(const Finding& a, const Finding& b) {
  return a.kind == b.kind && a.place.line == b.place.line && a.place.column == b.place.column &&
         a.key == b.key && a.message == b.message;
}

// Controls would reach a terminal: values of the file are quoted in messages.
std::string Printable(std::string_view text) {
  std::string printable(text);
  std::replace_if(
      printable.begin(), printable.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return printable;
}

}  // namespace

void Findings::Add(FindingKind kind, const Place& place, std::string key, std::string message) {
  Finding finding{kind, place, std::move(key), std::move(message)};
  const bool known = std::any_of(all_.begin(), all_.end(),
                                 [&](const Finding& other) { return IsSame(other, finding); });
  if (!known) all_.push_back(std::move(finding));
}

std::vector<Finding> Findings::Sorted() const {
  std::vector<Finding> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  return sorted;
}

std::size_t CountOf(const std::vector<Finding>& findings, FindingKind kind) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [kind](const Finding& finding) { return finding.kind == kind; }));
}

std::string FormatFindings(const std::string& file, const std::vector<Finding>& findings,
                           bool color) {
  const auto colored = [color](std::string_view code, std::string_view text) {
    if (!color) return std::string(text);
    return std::string(code) + std::string(text) + std::string(kPlain);
  };
  std::string out;
  for (const Finding& finding : findings) {
    std::string where = Printable(file);
    if (finding.place.line > 0) {
      where +=
          ':' + std::to_string(finding.place.line) + ':' + std::to_string(finding.place.column);
    }
    out += colored(kBold, where + ':') + ' ';
    if (!finding.key.empty()) out += Printable(finding.key) + ": ";
    const KindText& kind = TextOf(finding.kind);
    out += colored(kind.color, std::string(kind.name) + ':') + ' ';
    out += Printable(finding.message) + '\n';
  }
  std::string summary;
  for (const FindingKind kind : {FindingKind::kNoEquivalent, FindingKind::kDiffers,
                                 FindingKind::kNoEffect, FindingKind::kDeprecated}) {
    const std::size_t count = CountOf(findings, kind);
    if (count == 0) continue;
    summary += (summary.empty() ? "" : ", ") + std::to_string(count) + ' ' +
               std::string(TextOf(kind).counted);
  }
  return out + Printable(file) + ": " + (summary.empty() ? "all of it is carried over" : summary) +
         '\n';
}

}  // namespace agent::convert
