#include "outputs/event_pattern.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/clock.h"
#include "outputs/document/json_text.h"

namespace agent {
namespace {

struct Alias {
  std::string_view path;
  std::string_view label;
};
constexpr std::array<Alias, 8> kAliases = {{
    {"kubernetes.namespace", "namespace"},
    {"kubernetes.pod.name", "pod"},
    {"kubernetes.node.name", "node_name"},
    {"kubernetes.container.name", "container"},
    {"container.name", "container"},
    {"container.id", "container_id"},
    {"container.image.name", "image"},
    {"log.level", "level"},
}};

std::string_view WithoutPrefix(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
}

bool AppendLabel(std::string& to, std::string_view name, const Labels& labels) {
  const std::string* const value = labels.Find(name);
  if (value == nullptr || value->empty()) return false;
  to += *value;
  return true;
}

bool AppendMetadata(std::string& to, std::string_view name, const Entry& entry) {
  for (const Metadata& pair : entry.metadata) {
    if (pair.name != name || pair.value.empty()) continue;
    to += pair.value;
    return true;
  }
  return false;
}

bool AppendField(std::string& to, std::string_view name, const Entry& entry) {
  for (const Field& field : entry.fields) {
    if (field.name != name) continue;
    if (field.value.has_text()) {
      to += field.value.text();
    } else {
      GrowingBuffer text;
      AppendJsonValue(text, field.value);
      to.append(text.data(), text.size());
    }
    return true;
  }
  return false;
}

bool AppendReference(std::string& to, std::string_view name, const Entry& entry,
                     const Labels& labels) {
  if (const std::string_view label = WithoutPrefix(name, "labels."); !label.empty()) {
    return AppendLabel(to, label, labels);
  }
  if (const std::string_view pair = WithoutPrefix(name, "metadata."); !pair.empty()) {
    return AppendMetadata(to, pair, entry);
  }
  if (const std::string_view field = WithoutPrefix(name, "fields."); !field.empty()) {
    name = field;
  }
  if (AppendLabel(to, name, labels) || AppendMetadata(to, name, entry) ||
      AppendField(to, name, entry)) {
    return true;
  }
  return std::any_of(kAliases.begin(), kAliases.end(), [&](const Alias& alias) {
    return alias.path == name &&
           (AppendLabel(to, alias.label, labels) || AppendMetadata(to, alias.label, entry));
  });
}

std::size_t RunLength(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && text[length] == text[0])
    ++length;
  return length;
}

void AppendNumber(std::string& to, int number, std::size_t width) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) to.append(width - digits.size(), '0');
  to += digits;
}

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

// The week of ISO 8601, or the year that it belongs to.
void AppendWeek(std::string& to, const tm& time, bool year) {
  std::array<char, 8> text{};
  const std::size_t size = year ? std::strftime(text.data(), text.size(), "%G", &time)
                                : std::strftime(text.data(), text.size(), "%V", &time);
  to.append(text.data(), size);
}

void AppendName(std::string& to, std::string_view name, bool whole) {
  to += whole ? name : name.substr(0, 3);
}

void AppendTimePart(std::string& to, char letter, std::size_t width, const tm& time) {
  const int year = time.tm_year + 1900;
  switch (letter) {
    case 'y':
    case 'Y':
      return width == 2 ? AppendNumber(to, year % 100, 2) : AppendNumber(to, year, width);
    case 'M':
      if (width > 2)
        return AppendName(to, kMonths[static_cast<std::size_t>(time.tm_mon)], width > 3);
      return AppendNumber(to, time.tm_mon + 1, width);
    case 'd':
      return AppendNumber(to, time.tm_mday, width);
    case 'D':
      return AppendNumber(to, time.tm_yday + 1, width);
    case 'H':
      return AppendNumber(to, time.tm_hour, width);
    case 'm':
      return AppendNumber(to, time.tm_min, width);
    case 's':
      return AppendNumber(to, time.tm_sec, width);
    case 'w':
    case 'x':
      return AppendWeek(to, time, letter == 'x');
    case 'e':
      return AppendNumber(to, time.tm_wday == 0 ? 7 : time.tm_wday, width);
    case 'E':
      return AppendName(to, kDays[static_cast<std::size_t>(time.tm_wday)], width > 3);
    default:
      to.append(width, letter);
  }
}

}  // namespace

void AppendJodaTime(std::string& to, std::string_view layout, int64_t unix_ns) {
  int64_t second = unix_ns / kNanosPerSecond;
  if (unix_ns % kNanosPerSecond < 0) --second;
  const auto at = static_cast<time_t>(second);
  tm time{};
  gmtime_r(&at, &time);
  while (!layout.empty()) {
    if (layout.front() == '\'') {
      const std::size_t end = layout.find('\'', 1);
      if (end == 1) to += '\'';  // Two of them are one.
      to += layout.substr(1, end == std::string_view::npos ? end : end - 1);
      layout.remove_prefix(end == std::string_view::npos ? layout.size() : end + 1);
      continue;
    }
    const std::size_t width = RunLength(layout);
    AppendTimePart(to, layout.front(), width, time);
    layout.remove_prefix(width);
  }
}

Result<EventPattern> EventPattern::Parse(std::string_view text) {
  EventPattern pattern;
  while (!text.empty()) {
    const std::size_t begin = text.find("%{");
    if (begin != 0)
      pattern.parts_.push_back({PartKind::kText, std::string(text.substr(0, begin)), {}});
    if (begin == std::string_view::npos) break;
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos) {
      return Error{ErrorCode::kInvalid, "'%{' without its '}'"};
    }
    const std::string_view inside = text.substr(begin + 2, end - begin - 2);
    if (inside.starts_with('+')) {
      if (inside.size() == 1)
        return Error{ErrorCode::kInvalid, "'%{+}' needs a layout: yyyy.MM.dd"};
      pattern.parts_.push_back({PartKind::kTime, std::string(inside.substr(1)), {}});
    } else {
      auto part = ParseReference(inside);
      if (!part) return std::move(part).error();
      pattern.parts_.push_back(std::move(*part));
    }
    text.remove_prefix(end + 1);
  }
  return pattern;
}

Result<EventPattern::Part> EventPattern::ParseReference(std::string_view inside) {
  Part part{PartKind::kReference, "", {}};
  std::string_view rest = inside;
  while (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos || end == 1) break;
    if (!part.text.empty()) part.text += '.';
    part.text += rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  if (rest.starts_with(':')) {
    part.otherwise = std::string(rest.substr(1));
    rest = {};
  }
  if (part.text.empty() || !rest.empty()) {
    return Error{ErrorCode::kInvalid, "'%{" + std::string(inside) +
                                          "}' is neither %{[field]}, %{[field]:default} nor "
                                          "%{+yyyy.MM.dd}"};
  }
  return part;
}

void EventPattern::SetOtherwise(std::string_view text) {
  for (Part& part : parts_) {
    if (!part.otherwise) part.otherwise = std::string(text);
  }
}

bool EventPattern::Append(std::string& to, const Entry& entry, const Labels& labels,
                          ValueRepair repair) const {
  for (const Part& part : parts_) {
    const std::size_t begin = to.size();
    if (part.kind == PartKind::kText) {
      to += part.text;
    } else if (part.kind == PartKind::kTime) {
      AppendJodaTime(to, part.text, entry.timestamp_ns);
    } else if (!AppendReference(to, part.text, entry, labels)) {
      if (!part.otherwise) return false;
      to += *part.otherwise;
    }
    if (repair != nullptr && part.kind == PartKind::kReference) repair(to, begin);
  }
  return true;
}

std::vector<std::string> EventPattern::references() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    if (part.kind != PartKind::kReference) continue;
    const std::string_view field = WithoutPrefix(part.text, "fields.");
    names.emplace_back(field.empty() ? part.text : field);
  }
  return names;
}

}  // namespace agent
