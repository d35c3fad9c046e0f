#include "agent/receivers/journal/journal_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "pipeline/json/json_writer.h"

namespace agent {
namespace {

// Who may write to the journal may make up names: more of them than this are forgotten again.
constexpr std::size_t kMaxNames = 1024;

auto FirstNotBefore(auto& fields, std::string_view name) {
  return std::lower_bound(fields.begin(), fields.end(), name,
                          [](const JournalFields::Field& field, std::string_view wanted) {
                            return field.name.compare(wanted) < 0;
                          });
}

}  // namespace

JournalFields::JournalFields(std::vector<std::string> wanted) {
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (std::string& name : wanted)
    fields_.push_back({std::move(name), {}, false});
}

void JournalFields::Clear() {
  if (all_ && fields_.size() > kMaxNames) fields_.clear();
  for (Field& field : fields_)
    field.present = false;
}

void JournalFields::Add(std::string_view name, std::string_view value) {
  auto at = FirstNotBefore(fields_, name);
  if (at == fields_.end() || at->name != name) {
    if (!all_) return;
    at = fields_.insert(at, {std::string(name), {}, false});
  }
  at->value = value;
  at->present = true;
}

const std::string* JournalFields::Find(std::string_view name) const {
  const auto at = FirstNotBefore(fields_, name);
  return at != fields_.end() && at->name == name && at->present ? &at->value : nullptr;
}

void AppendJournalJson(const JournalFields& fields, std::string& out) {
  char before = '{';
  for (const JournalFields::Field& field : fields.all()) {
    if (!field.present) continue;
    out += before;
    AppendJsonString(field.name, out);
    out += ':';
    AppendJsonString(field.value, out);
    before = ',';
  }
  if (before == '{') out += '{';
  out += '}';
}

std::string JournalLabelName(std::string_view field) {
  std::string name = "__journal_";
  for (const char c : field)
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

std::string_view JournalPriorityKeyword(std::string_view priority) {
  constexpr std::array<std::string_view, 8> kKeywords = {"emerg",   "alert",  "crit", "error",
                                                         "warning", "notice", "info", "debug"};
  if (priority.size() != 1 || priority[0] < '0' || priority[0] > '7') return priority;
  return kKeywords[static_cast<std::size_t>(priority[0] - '0')];
}

std::optional<uint64_t> JournalCursorTime(std::string_view cursor) {
  while (!cursor.empty()) {
    const std::size_t end = std::min(cursor.find(';'), cursor.size());
    const std::string_view part = cursor.substr(0, end);
    cursor.remove_prefix(std::min(end + 1, cursor.size()));
    if (!part.starts_with("t=")) continue;
    uint64_t time = 0;
    const char* const last = part.data() + part.size();
    const auto [rest, error] = std::from_chars(part.data() + 2, last, time, 16);
    if (error == std::errc() && rest == last) return time;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace agent
