#include "base/label_sets.h"

#include <xxhash.h>

#include <cstring>
#include <set>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

// What a set costs beside its texts: the nodes of the vector, the index and the tables by id.
constexpr std::size_t kSetOverhead = 160;

std::size_t MemoryOf(const Labels& labels) {
  std::size_t bytes = kSetOverhead;
  for (const Label& label : labels) {
    bytes += sizeof(Label) + label.name.size() + label.value.size();
  }
  return bytes;
}

}  // namespace

std::size_t LabelSets::Hash::operator()(const Labels* labels) const {
  uint64_t hash = 0;
  for (const Label& label : *labels) {
    hash = XXH3_64bits_withSeed(label.name.data(), label.name.size(), hash);
    hash = XXH3_64bits_withSeed(label.value.data(), label.value.size(), hash);
  }
  return hash;
}

LabelSets::LabelSets() {
  const LabelSetId empty = Intern(Labels());
  CHECK(empty == kEmptyLabelSet);
  Pin(empty);
}

LabelSets::~LabelSets() = default;

LabelSetId LabelSets::Intern(const Labels& labels) {
  const auto found = index_.find(&labels);
  if (found != index_.end()) return found->second;

  LabelSetId id = static_cast<LabelSetId>(sets_.size());
  auto stored = std::make_unique<Labels>(labels);
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
  } else {
    sets_.emplace_back();
    texts_.emplace_back();
    pins_.push_back(0);
  }
  memory_bytes_ += MemoryOf(*stored);
  index_.emplace(stored.get(), id);
  sets_[id] = std::move(stored);
  return id;
}

std::string_view LabelSets::Text(LabelSetId id) {
  if (texts_[id].empty()) {
    texts_[id] = FormatLabels(*sets_[id]);
    memory_bytes_ += texts_[id].size();
  }
  return texts_[id];
}

LabelSetId LabelSets::With(LabelSetId id, std::string_view name, std::string_view value) {
  const std::string* present = sets_[id]->Find(name);
  if (present != nullptr && *present == value) return id;
  Labels changed = *sets_[id];
  changed.Set(name, value);
  return Intern(changed);
}

LabelSetId LabelSets::Without(LabelSetId id, std::string_view name) {
  if (!sets_[id]->Has(name)) return id;
  Labels changed = *sets_[id];
  changed.Remove(name);
  return Intern(changed);
}

void LabelSets::Pin(LabelSetId id) {
  ++pins_[id];
}

void LabelSets::Unpin(LabelSetId id) {
  CHECK(pins_[id] > 0);
  --pins_[id];
}

void LabelSets::Sweep() {
  for (LabelSetId id = 0; id < sets_.size(); ++id) {
    if (sets_[id] == nullptr || pins_[id] > 0) continue;
    memory_bytes_ -= MemoryOf(*sets_[id]) + texts_[id].size();
    index_.erase(sets_[id].get());
    sets_[id].reset();
    texts_[id] = std::string();
    free_.push_back(id);
  }
  ++epoch_;
}

std::string LabelSets::MostVaryingLabel() const {
  std::unordered_map<std::string, std::set<std::string_view>> values;
  for (const auto& set : sets_) {
    if (set == nullptr) continue;
    for (const Label& label : *set)
      values[label.name].insert(label.value);
  }
  std::string most;
  std::size_t count = 0;
  for (const auto& [name, distinct] : values) {
    if (distinct.size() > count) {
      count = distinct.size();
      most = name;
    }
  }
  return most;
}

LabelTransition::LabelTransition(LabelSets& sets, std::vector<std::string> names)
    : sets_(sets), names_(std::move(names)), epoch_(sets.epoch()) {}

void LabelTransition::MakeKey(LabelSetId from, std::span<const std::string_view> values) {
  key_.resize(sizeof(from));
  std::memcpy(key_.data(), &from, sizeof(from));
  for (const std::string_view value : values) {
    // The length, with a mark for "stays as it is", keeps ("a", "bc") and ("ab", "c") apart.
    const uint32_t size =
        value.data() == nullptr ? ~uint32_t{0} : static_cast<uint32_t>(value.size());
    char length[sizeof(size)];
    std::memcpy(length, &size, sizeof(size));
    key_.append(length, sizeof(size));
    key_.append(value);
  }
}

LabelSetId LabelTransition::Compute(LabelSetId from, std::span<const std::string_view> values) {
  Labels labels = sets_.Get(from);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (values[i].data() != nullptr) labels.Set(names_[i], values[i]);
  }
  return sets_.Intern(labels);
}

LabelSetId LabelTransition::Apply(LabelSetId from, std::span<const std::string_view> values) {
  CHECK(values.size() == names_.size());
  if (epoch_ != sets_.epoch()) {
    next_.clear();
    last_key_.clear();
    epoch_ = sets_.epoch();
  }
  MakeKey(from, values);
  if (key_ == last_key_) return last_;

  const auto [at, inserted] = next_.try_emplace(key_, kEmptyLabelSet);
  if (inserted) at->second = Compute(from, values);
  last_key_ = key_;
  last_ = at->second;
  return last_;
}

}  // namespace agent
