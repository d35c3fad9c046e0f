#include "agent/receivers/journal/journal_labels.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace agent {
namespace {

constexpr std::size_t kMaxKnownBytes = std::size_t{1} << 20;
constexpr std::string_view kPrefix = "__journal_";
constexpr std::string_view kPriorityKeyword = "__journal_priority_keyword";

// The field behind a label; empty: it is none of the journal's.
std::string FieldOf(std::string_view label) {
  if (label == kPriorityKeyword) return "PRIORITY";
  if (!label.starts_with(kPrefix)) return {};
  std::string field(label.substr(kPrefix.size()));
  for (char& c : field) {
    if (c >= 'A' && c <= 'Z') return {};  // Labels have small letters.
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return field;
}

void AppendToKey(const std::string* value, std::string& key) {
  const std::size_t size = value != nullptr ? value->size() + 1 : 0;
  for (unsigned shift = 0; shift < 32; shift += 8)
    key += static_cast<char>((size >> shift) & 0xFFU);
  if (value != nullptr) key += *value;
}

}  // namespace

JournalLabels::JournalLabels(Labels constant, const std::vector<RelabelRule>& rules,
                             std::shared_ptr<const Relabeling> relabeling)
    : constant_(std::move(constant)), relabeling_(std::move(relabeling)) {
  const auto want = [this](std::string_view label) {
    std::string field = FieldOf(label);
    if (!field.empty()) wanted_.push_back(std::move(field));
  };
  for (const RelabelRule& rule : rules) {
    wants_all_ = wants_all_ || rule.action == RelabelAction::kLabelMap;
    for (const std::string& label : rule.source_labels)
      want(label);
    // What it is compared with.
    if (rule.action == RelabelAction::kKeepEqual || rule.action == RelabelAction::kDropEqual)
      want(rule.target_label);
  }
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
}

const JournalLabels::Labelled& JournalLabels::Find(const JournalFields& fields) {
  key_.clear();
  if (wants_all_) {
    for (const JournalFields::Field& field : fields.all()) {
      if (!field.present) continue;
      AppendToKey(&field.name, key_);
      AppendToKey(&field.value, key_);
    }
  } else {
    for (const std::string& name : wanted_)
      AppendToKey(fields.Find(name), key_);
  }
  const auto at = known_.find(key_);
  if (at != known_.end()) return at->second;
  known_bytes_ += key_.size();
  return known_.emplace(key_, Resolve(fields)).first->second;
}

void JournalLabels::Trim() {
  // With all fields no two entries are the same.
  if (known_bytes_ <= (wants_all_ ? 0 : kMaxKnownBytes)) return;
  known_.clear();
  known_bytes_ = 0;
}

JournalLabels::Labelled JournalLabels::Resolve(const JournalFields& fields) const {
  Labels labels;
  for (const JournalFields::Field& field : fields.all()) {
    if (!field.present) continue;
    const bool wanted =
        wants_all_ || std::binary_search(wanted_.begin(), wanted_.end(), field.name);
    if (!wanted) continue;
    labels.Set(JournalLabelName(field.name), field.value);
    if (field.name == "PRIORITY") labels.Set(kPriorityKeyword, JournalPriorityKeyword(field.value));
  }
  for (const Label& label : constant_)
    labels.Set(label.name, label.value);
  if (relabeling_->Apply(labels)) return {Outcome::kDropped, {}};
  Labelled labelled;
  for (const Label& label : labels) {
    if (!label.name.starts_with("__")) labelled.labels.Set(label.name, label.value);
  }
  labelled.outcome = labelled.labels.empty() ? Outcome::kNone : Outcome::kLabels;
  return labelled;
}

}  // namespace agent
