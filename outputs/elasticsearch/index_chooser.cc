#include "outputs/elasticsearch/index_chooser.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/unicode.h"
#include "base/utf8.h"

namespace agent::elasticsearch {
namespace {

constexpr std::size_t kMaxIndexBytes = 255;
constexpr int64_t kHourNs = 3600 * kNanosPerSecond;
constexpr std::string_view kForbidden = "\\/*?\"<>| ,#:";

bool Meets(const ConditionalIndex& rule, const std::optional<EventPattern>& field,
           const Entry& entry, const Labels& labels) {
  std::string value;
  if (!field || !field->Append(value, entry, labels)) {
    if (rule.field != "message") return false;
    value = entry.line;
  }
  if (rule.equals) return value == *rule.equals;
  return !rule.contains || value.find(*rule.contains) != std::string::npos;
}

// `text` is UTF-8.
std::string LowerCase(std::string_view text) {
  std::string lower;
  while (!text.empty()) {
    const DecodedRune rune = DecodeRune(text);
    AppendUtf8(RuneToLower(rune.rune), lower);
    text.remove_prefix(rune.size);
  }
  return lower;
}

}  // namespace

bool MakeIndexName(std::string& name) {
  bool changed = false;
  if (!IsValidUtf8(name)) {
    std::string valid;
    AppendSanitized(name, valid);
    name = std::move(valid);
    changed = true;
  }
  name = LowerCase(name);
  for (char& c : name) {
    if (kForbidden.find(c) == std::string_view::npos && static_cast<unsigned char>(c) >= 0x20)
      continue;
    c = '_';
    changed = true;
  }
  const std::size_t first = name.find_first_not_of("-_+");
  if (first != 0) {
    name.erase(0, std::min(first, name.size()));
    changed = true;
  }
  if (name.empty() || name == "." || name == "..") {
    name = "unnamed";
    changed = true;
  }
  if (name.size() > kMaxIndexBytes) {
    std::size_t end = kMaxIndexBytes;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80)
      --end;
    name.resize(end);
    changed = true;
  }
  return changed;
}

IndexChooser::IndexChooser(const ElasticsearchOptions& options)
    : options_(options), fallback_(options.index_fallback) {
  if (!fallback_.empty()) MakeIndexName(fallback_);
  for (const ConditionalIndex& rule : options.indices) {
    auto field = EventPattern::Parse("%{[" + rule.field + "]}");
    rule_fields_.push_back(field ? std::optional(std::move(*field)) : std::nullopt);
  }
}

const EventPattern& IndexChooser::PatternFor(const Entry& entry, const Labels& labels) const {
  for (std::size_t i = 0; i < options_.indices.size(); ++i) {
    const ConditionalIndex& rule = options_.indices[i];
    if (Meets(rule, rule_fields_[i], entry, labels)) return rule.index;
  }
  return options_.index;
}

IndexChooser::Outcome IndexChooser::Choose(const Entry& entry, const Labels& labels,
                                           int64_t now_ns) {
  expanded_.clear();
  if (!PatternFor(entry, labels).Append(expanded_, entry, labels)) return UseFallback();
  if (expanded_ == last_expanded_ && last_ <= Outcome::kRepaired &&
      now_ns - hour_began_ns_ < kHourNs) {
    return last_;
  }
  last_expanded_ = expanded_;
  name_ = expanded_;
  last_ = MakeIndexName(name_) ? Outcome::kRepaired : Outcome::kAsIs;
  if (Admit(now_ns)) return last_;
  return UseFallback();
}

bool IndexChooser::Admit(int64_t now_ns) {
  if (now_ns - hour_began_ns_ >= kHourNs) {
    used_.clear();
    hour_began_ns_ = now_ns;
  }
  if (used_.find(name_) != used_.end()) return true;
  if (used_.size() >= options_.max_indices_per_hour) return false;
  used_.insert(name_);
  return true;
}

IndexChooser::Outcome IndexChooser::UseFallback() {
  name_ = fallback_;
  last_ = name_.empty() ? Outcome::kNone : Outcome::kFallback;
  return last_;
}

}  // namespace agent::elasticsearch
