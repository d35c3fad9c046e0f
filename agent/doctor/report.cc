#include "agent/doctor/report.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/http/json_writer.h"

namespace agent::doctor {
namespace {

constexpr std::array<std::string_view, 13> kGroups = {
    "Configuration", "Files", "Watching", "Docker", "Kubernetes",    "Journal",   "Listeners",
    "Resources",     "State", "Clock",    "Output", "Running agent", "Test entry"};
constexpr std::size_t kMarkWidth = 9;

std::size_t GroupPlace(std::string_view group) {
  const auto* const at = std::find_if(kGroups.begin(), kGroups.end(), [group](std::string_view g) {
    return group == g || (group.starts_with(g) && group[g.size()] == ' ');
  });
  return static_cast<std::size_t>(at - kGroups.begin());
}

std::string_view ColorOf(Mark mark) {
  if (mark == Mark::kFailure) return "\x1b[1;31m";
  if (mark == Mark::kWarning) return "\x1b[33m";
  return mark == Mark::kNote ? "\x1b[36m" : "\x1b[32m";
}

void AppendColored(std::string_view text, std::string_view color, bool use, std::string& out) {
  if (use) out += color;
  out += text;
  if (use) out += "\x1b[0m";
}

// What comes from outside may hold anything; a line stays a line, and a terminal what it is.
void AppendClean(std::string_view text, std::size_t indent, std::string& out) {
  for (const char c : text) {
    if (c == '\n') {
      out += '\n';
      out.append(indent, ' ');
    } else {
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
}

void AppendFinding(const Finding& finding, bool color, std::string& out) {
  constexpr std::size_t kIndent = 2 + kMarkWidth;
  const std::string_view name = MarkName(finding.mark);
  out += "  ";
  AppendColored(name, ColorOf(finding.mark), color, out);
  out.append(kMarkWidth - name.size(), ' ');
  AppendClean(finding.text, kIndent, out);
  out += '\n';
  const auto more = [&](std::string_view label, const std::string& text, std::string_view paint) {
    if (text.empty()) return;
    out.append(kIndent, ' ');
    AppendColored(label, paint, color, out);
    AppendClean(text, kIndent + label.size(), out);
    out += '\n';
  };
  more("why: ", finding.why, "\x1b[2m");
  more("fix: ", finding.fix, "\x1b[1m");
}

std::string Counted(std::size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

}  // namespace

std::string_view MarkName(Mark mark) {
  if (mark == Mark::kFailure) return "failure";
  if (mark == Mark::kWarning) return "warning";
  return mark == Mark::kNote ? "note" : "ok";
}

MarkCounts CountMarks(const std::vector<Finding>& findings) {
  MarkCounts counts;
  for (const Finding& finding : findings) {
    if (finding.mark == Mark::kOk) ++counts.ok;
    if (finding.mark == Mark::kNote) ++counts.notes;
    if (finding.mark == Mark::kWarning) ++counts.warnings;
    if (finding.mark == Mark::kFailure) ++counts.failures;
  }
  return counts;
}

void SortByGroup(std::vector<Finding>& findings) {
  // Those of one group that several threads have filled stay together by name.
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    const std::size_t left = GroupPlace(a.group);
    const std::size_t right = GroupPlace(b.group);
    return left != right ? left < right : a.group < b.group;
  });
}

std::string TextReport(const std::vector<Finding>& findings, bool color) {
  std::string out;
  const std::string* group = nullptr;
  for (const Finding& finding : findings) {
    if (group == nullptr || *group != finding.group) {
      if (group != nullptr) out += '\n';
      AppendColored(finding.group, "\x1b[1m", color, out);
      out += '\n';
      group = &finding.group;
    }
    AppendFinding(finding, color, out);
  }
  const MarkCounts counts = CountMarks(findings);
  out += '\n';
  out += Counted(counts.failures, "failure") + ", " + Counted(counts.warnings, "warning") + ", " +
         Counted(counts.notes, "note") + ", " + std::to_string(counts.ok) + " ok\n";
  return out;
}

std::string JsonReport(const std::vector<Finding>& findings) {
  JsonWriter json;
  json.BeginObject().Key("findings").BeginArray();
  for (const Finding& finding : findings) {
    json.BeginObject().Key("mark").String(MarkName(finding.mark));
    json.Key("group").String(finding.group).Key("check").String(finding.check);
    json.Key("text").String(finding.text).Key("why").String(finding.why);
    json.Key("fix").String(finding.fix).EndObject();
  }
  const MarkCounts counts = CountMarks(findings);
  json.EndArray().Key("summary").BeginObject();
  json.Key("failures").Number(uint64_t{counts.failures});
  json.Key("warnings").Number(uint64_t{counts.warnings});
  json.Key("notes").Number(uint64_t{counts.notes}).Key("ok").Number(uint64_t{counts.ok});
  json.EndObject().EndObject();
  return json.Take() + "\n";
}

}  // namespace agent::doctor
