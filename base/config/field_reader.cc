#include "base/config/field_reader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config/field_observer.h"
#include "base/config/scalars.h"
#include "base/config/spelling.h"
#include "base/go_format.h"

namespace agent {
namespace {

constexpr std::size_t kMaxUnknownKeys = 20;  // Reported for one map; more is not a slip.
constexpr std::size_t kMaxKeysShown = 8;

bool EqualAnyCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMaxShown = 60;
  if (text.size() <= kMaxShown) return "'" + std::string(text) + "'";
  return "'" + std::string(text.substr(0, kMaxShown)) + "…'";
}

std::string FormatNumber(double number) {
  std::string out;
  AppendGoFloat(number, out);
  return out;
}

// "expected 0 to 1, got 1.5"; one end only where the other is the type's own.
std::string RangeMessage(double min, double max, bool max_is_open, std::string_view got) {
  std::string message = "expected ";
  message += max_is_open ? "at least " + FormatNumber(min)
                         : FormatNumber(min) + " to " + FormatNumber(max);
  return message + ", got " + std::string(got);
}

std::string Join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

// What is asked for, to whom it may concern.
void Tell(const FieldQuery& query) {
  if (FieldObserver* const observer = CurrentFieldObserver()) observer->Asked(query);
}

// As it would be written in a file; a range that is the type's own stands as it is.
void TellNumber(std::string_view path, std::string_view key, FieldKind kind, double default_value,
                double min, double max) {
  if (CurrentFieldObserver() == nullptr) return;
  Tell({.path = path,
        .key = key,
        .kind = kind,
        .default_value = FormatNumber(default_value),
        .min = min,
        .max = max});
}

void TellDuration(std::string_view path, std::string_view key, std::chrono::nanoseconds duration) {
  if (CurrentFieldObserver() == nullptr) return;
  Tell({.path = path,
        .key = key,
        .kind = FieldKind::kDuration,
        .default_value = FormatGoDuration(duration)});
}

}  // namespace

FieldReader::FieldReader(const ConfigNode& node, std::string path, Problems& problems,
                         Unknown unknown, Typing typing, KeyCase key_case)
    : node_(node),
      path_(std::move(path)),
      problems_(problems),
      unknown_(unknown),
      typing_(typing),
      key_case_(key_case) {
  if (!node_.is_map() && !node_.is_null()) Mismatch(path_, node_, "a map");
}

const ConfigNode* FieldReader::Lookup(std::string_view key) {
  if (const ConfigNode* exact = node_.Find(key)) return exact;
  if (key_case_ == KeyCase::kExact) return nullptr;
  for (const auto& [name, value] : node_.pairs()) {
    if (EqualAnyCase(name.text(), key)) return &value;
  }
  return nullptr;
}

bool FieldReader::Has(std::string_view key) {
  Tell({.path = path_, .key = key});
  return Lookup(key) != nullptr;
}

const ConfigNode* FieldReader::Node(std::string_view key) {
  Tell({.path = path_, .key = key});
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return Lookup(key);
}

const ConfigNode* FieldReader::Value(std::string_view key) {
  const ConfigNode* value = Node(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const ConfigNode* FieldReader::Scalar(std::string_view key, std::string_view wanted) {
  const ConfigNode* value = Value(key);
  if (value == nullptr || value->is_scalar()) return value;
  Mismatch(PathOf(key), *value, wanted);
  return nullptr;
}

void FieldReader::Mismatch(const std::string& path, const ConfigNode& value,
                           std::string_view wanted, std::string hint) {
  ok_ = false;
  problems_.Error(value.place(), path,
                  "expected " + std::string(wanted) + ", got " + std::string(value.KindName()),
                  std::move(hint));
}

std::optional<std::string> FieldReader::Text(const std::string& path, const ConfigNode& value) {
  if (!value.is_scalar()) {
    Mismatch(path, value, "a string");
    return std::nullopt;
  }
  const bool is_bool = value.IsBool();
  const bool is_number = value.IsNumber();
  if (typing_ == Typing::kScalar || (!is_bool && !is_number)) return value.text();
  if (typing_ == Typing::kStrict) {
    Mismatch(path, value, "a string", "write \"" + value.text() + "\" in quotes");
    return std::nullopt;
  }
  if (is_bool) return *ParseYamlBool(value.text()) ? "1" : "0";
  return PlainNumber(value.text());
}

std::string FieldReader::String(std::string_view key, std::string_view default_value) {
  Tell({.path = path_,
        .key = key,
        .kind = FieldKind::kText,
        .default_value = std::string(default_value)});
  const ConfigNode* value = Value(key);
  if (value == nullptr) return std::string(default_value);
  return Text(PathOf(key), *value).value_or(std::string(default_value));
}

std::string FieldReader::RequiredString(std::string_view key) {
  Tell({.path = path_, .key = key, .kind = FieldKind::kText, .required = true});
  const ConfigNode* value = Value(key);
  if (value == nullptr) {
    Error(key, "missing: a value is required");
    return {};
  }
  std::optional<std::string> text = Text(PathOf(key), *value);
  if (text && text->empty()) Error(key, "must not be empty");
  return std::move(text).value_or("");
}

bool FieldReader::Bool(std::string_view key, bool default_value) {
  Tell({.path = path_,
        .key = key,
        .kind = FieldKind::kBool,
        .default_value = default_value ? "true" : "false"});
  const ConfigNode* value = Scalar(key, "true or false");
  if (value == nullptr) return default_value;
  std::optional<bool> result;
  if (value->IsBool()) {
    result = ParseYamlBool(value->text());
  } else if (typing_ == Typing::kWeak) {
    if (value->IsNumber()) {
      result = ParseYamlFloat(value->text()).value_or(0) != 0;
    } else {
      result = value->text().empty() ? false : ParseGoBool(value->text());
    }
  }
  if (result) return *result;
  const bool quoted = ParseYamlBool(value->text()).has_value();
  Error(key, "expected true or false, got " + Quoted(value->text()),
        quoted ? "write it without quotes" : "");
  return default_value;
}

int64_t FieldReader::Int(std::string_view key, int64_t default_value, int64_t min, int64_t max) {
  TellNumber(path_, key, FieldKind::kInt, static_cast<double>(default_value),
             static_cast<double>(min), static_cast<double>(max));
  const ConfigNode* value = Scalar(key, "a whole number");
  if (value == nullptr) return default_value;
  std::optional<int64_t> number;
  if (value->IsNumber()) {
    number = ParseYamlInt(value->text());
  } else if (typing_ == Typing::kWeak) {
    number = value->IsBool() ? static_cast<int64_t>(*ParseYamlBool(value->text()))
                             : ParseYamlInt(value->text());
  }
  if (!number) {
    const bool quoted = value->quoted() && ParseYamlInt(value->text());
    Error(key, "expected a whole number, got " + Quoted(value->text()),
          quoted ? "write it without quotes" : "");
    return default_value;
  }
  if (*number < min || *number > max) {
    Error(key, RangeMessage(static_cast<double>(min), static_cast<double>(max),
                            max >= (int64_t{1} << 53), value->text()));
    return default_value;
  }
  return *number;
}

double FieldReader::Float(std::string_view key, double default_value, double min, double max) {
  TellNumber(path_, key, FieldKind::kFloat, default_value, min, max);
  const ConfigNode* value = Scalar(key, "a number");
  if (value == nullptr) return default_value;
  std::optional<double> number;
  if (value->IsNumber()) {
    number = ParseYamlFloat(value->text());
  } else if (typing_ == Typing::kWeak) {
    number = value->IsBool() ? static_cast<double>(*ParseYamlBool(value->text()))
                             : ParseYamlFloat(value->text());
  }
  if (!number) {
    const bool quoted = value->quoted() && ParseYamlFloat(value->text());
    Error(key, "expected a number, got " + Quoted(value->text()),
          quoted ? "write it without quotes" : "");
    return default_value;
  }
  // Written so that NaN is out of range.
  if (!(*number >= min && *number <= max)) {
    Error(key, RangeMessage(min, max, max >= 1e15, value->text()));
    return default_value;
  }
  return *number;
}

std::chrono::nanoseconds FieldReader::Duration(std::string_view key,
                                               std::chrono::nanoseconds default_value) {
  TellDuration(path_, key, default_value);
  const ConfigNode* value = Scalar(key, "a duration such as 10s");
  if (value == nullptr) return default_value;
  const std::string& text = value->text();
  std::optional<std::chrono::nanoseconds> duration;
  if (value->IsNumber() && typing_ == Typing::kScalar) {
    if (const auto integer = ParseYamlInt(text)) {
      duration = std::chrono::nanoseconds(*integer);
      if (*integer > 0) {
        Warning(key, text + " without a unit is " + text + " nanoseconds",
                "did you mean " + text + "s?");
      }
    }
  } else if (const Result<std::chrono::nanoseconds> parsed = ParseGoDuration(text); parsed.ok()) {
    duration = *parsed;
  }
  if (duration && duration->count() >= 0) return *duration;
  std::string hint = "a duration is a number with a unit: 500ms, 10s, 1m30s, 1h";
  const auto number = ParseYamlFloat(text);
  if (number && *number > 0) {
    hint = "the unit is missing: did you mean " + text + "s?";
  } else if (!text.empty() && (text.back() == 'd' || text.back() == 'w') &&
             ParsePrometheusDuration(text).ok()) {
    hint = "there are no days or weeks here: write hours, such as 24h";
  }
  Error(key,
        (duration ? "a duration must not be negative, got " : "expected a duration, got ") +
            Quoted(text),
        duration ? "" : hint);
  return default_value;
}

std::chrono::nanoseconds FieldReader::PrometheusDuration(std::string_view key,
                                                         std::chrono::nanoseconds default_value) {
  TellDuration(path_, key, default_value);
  const ConfigNode* value = Scalar(key, "a duration such as 5m");
  if (value == nullptr) return default_value;
  const Result<std::chrono::nanoseconds> duration = ParsePrometheusDuration(value->text());
  if (duration.ok()) return *duration;
  const auto number = ParseYamlFloat(value->text());
  Error(key, "expected a duration, got " + Quoted(value->text()),
        number && *number > 0
            ? "the unit is missing: did you mean " + value->text() + "s?"
            : "a duration is whole numbers with units: 500ms, 30s, 5m, 1h30m, 1d");
  return default_value;
}

uint64_t FieldReader::Size(std::string_view key, uint64_t default_value) {
  Tell({.path = path_,
        .key = key,
        .kind = FieldKind::kSize,
        .default_value = std::to_string(default_value)});
  const ConfigNode* value = Scalar(key, "a size such as 256KiB");
  if (value == nullptr) return default_value;
  const Result<uint64_t> size = ParseSize(value->text());
  if (size.ok()) return *size;
  if (value->IsNumber()) {
    const auto number = ParseYamlInt(value->text());
    if (number && *number >= 0) return static_cast<uint64_t>(*number);
  }
  Error(key, "expected a size, got " + Quoted(value->text()),
        "a size is a whole number of bytes, or one with a unit: 256KiB, 4MiB, 1GiB");
  return default_value;
}

std::vector<std::string> FieldReader::StringList(std::string_view key) {
  Tell({.path = path_, .key = key, .kind = FieldKind::kTexts});
  std::vector<std::string> list;
  const ConfigNode* value = Value(key);
  if (value == nullptr) return list;
  if (value->is_scalar() && typing_ == Typing::kWeak) {
    if (auto text = Text(PathOf(key), *value)) list.push_back(std::move(*text));
    return list;
  }
  if (!value->is_sequence()) {
    Mismatch(PathOf(key), *value, "a list of strings",
             value->is_scalar() ? "write [" + value->text() + "]" : "");
    return list;
  }
  for (std::size_t i = 0; i < value->items().size(); ++i) {
    const ConfigNode& item = value->items()[i];
    const std::string path = PathOf(key) + "[" + std::to_string(i) + "]";
    if (item.is_null()) {
      Mismatch(path, item, "a string");
    } else if (auto text = Text(path, item)) {
      list.push_back(std::move(*text));
    }
  }
  return list;
}

std::vector<std::pair<std::string, std::string>> FieldReader::StringMap(std::string_view key,
                                                                        bool null_as_empty) {
  Tell({.path = path_, .key = key, .kind = FieldKind::kMap});
  std::vector<std::pair<std::string, std::string>> map;
  const ConfigNode* value = Value(key);
  if (value == nullptr) return map;
  if (!value->is_map()) {
    Mismatch(PathOf(key), *value, "a map of names to strings");
    return map;
  }
  for (const auto& [name, item] : value->pairs()) {
    const std::string path = PathOf(key) + "." + name.text();
    if (typing_ == Typing::kStrict && (name.IsBool() || name.IsNumber())) {
      Mismatch(path, name, "a name", "write \"" + name.text() + "\" in quotes");
      continue;
    }
    if (item.is_null() && null_as_empty) {
      map.emplace_back(name.text(), std::string());
    } else if (item.is_null()) {
      Mismatch(path, item, "a string");
    } else if (auto text = Text(path, item)) {
      map.emplace_back(name.text(), std::move(*text));
    }
  }
  return map;
}

std::string FieldReader::Choice(std::string_view key, std::string_view default_value,
                                std::initializer_list<std::string_view> choices) {
  Tell({.path = path_,
        .key = key,
        .kind = FieldKind::kChoice,
        .default_value = std::string(default_value),
        .choices = std::vector<std::string_view>(choices)});
  const ConfigNode* value = Value(key);
  if (value == nullptr) return std::string(default_value);
  std::optional<std::string> text = Text(PathOf(key), *value);
  if (!text) return std::string(default_value);
  if (std::find(choices.begin(), choices.end(), *text) != choices.end()) return *text;
  const std::vector<std::string> words(choices.begin(), choices.end());
  const std::string nearest = NearestSpelling(*text, words);
  Error(key, "expected one of " + Join(words) + ", got " + Quoted(*text),
        nearest.empty() ? "" : "did you mean '" + nearest + "'?");
  return std::string(default_value);
}

void FieldReader::List(
    std::string_view key,
    const std::function<void(const ConfigNode& item, const std::string& path)>& read) {
  Tell({.path = path_, .key = key, .kind = FieldKind::kList});
  const ConfigNode* value = Value(key);
  if (value == nullptr) return;
  if (!value->is_sequence()) {
    Mismatch(PathOf(key), *value, "a list", value->is_map() ? "put '- ' before its first key" : "");
    return;
  }
  for (std::size_t i = 0; i < value->items().size(); ++i) {
    read(value->items()[i], PathOf(key) + "[" + std::to_string(i) + "]");
  }
}

void FieldReader::Ignore(std::string_view key) {
  Tell({.path = path_, .key = key, .kind = FieldKind::kIgnored});
  Node(key);
}

void FieldReader::Ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    Ignore(key);
}

bool FieldReader::Finish() {
  std::size_t unknown = 0;
  for (const auto& [name, value] : node_.pairs()) {
    const std::string& key = name.text();
    const bool known = std::any_of(known_.begin(), known_.end(), [&](const std::string& one) {
      return key_case_ == KeyCase::kAny ? EqualAnyCase(one, key) : one == key;
    });
    if (known) continue;
    if (++unknown > kMaxUnknownKeys) break;
    const std::string nearest = NearestSpelling(key, known_);
    std::string hint;
    if (!nearest.empty()) {
      hint = "did you mean '" + nearest + "'?";
    } else if (known_.size() <= kMaxKeysShown) {
      hint = known_.empty() ? "no keys are expected here" : "known keys: " + Join(known_);
    }
    if (unknown_ == Unknown::kError) {
      ok_ = false;
      problems_.Error(name.place(), path_, "unknown key " + Quoted(key), std::move(hint));
    } else {
      problems_.Warning(name.place(), path_, "unknown key " + Quoted(key) + " has no effect",
                        std::move(hint));
    }
  }
  return ok_;
}

void FieldReader::Error(std::string_view key, std::string message, std::string hint) {
  ok_ = false;
  problems_.Error(PlaceOf(key), PathOf(key), std::move(message), std::move(hint));
}

void FieldReader::Warning(std::string_view key, std::string message, std::string hint) {
  problems_.Warning(PlaceOf(key), PathOf(key), std::move(message), std::move(hint));
}

void FieldReader::MapError(std::string message, std::string hint) {
  ok_ = false;
  problems_.Error(node_.place(), path_, std::move(message), std::move(hint));
}

std::string FieldReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

Place FieldReader::PlaceOf(std::string_view key) const {
  for (const auto& [name, value] : node_.pairs()) {
    const bool same =
        key_case_ == KeyCase::kAny ? EqualAnyCase(name.text(), key) : name.text() == key;
    if (same) return value.place().line > 0 ? value.place() : name.place();
  }
  return node_.place();
}

}  // namespace agent
