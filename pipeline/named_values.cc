#include "pipeline/named_values.h"

namespace agent {

void NamedValues::Clear() {
  if (items_.empty()) return;
  items_.clear();
  index_.clear();
  chains_.clear();
}

const Value* NamedValues::Find(uint32_t entry, std::string_view name) const {
  if (items_.empty()) return nullptr;
  const auto at = index_.find({entry, name});
  return at != index_.end() ? &items_[at->second].value : nullptr;
}

Value* NamedValues::Find(uint32_t entry, std::string_view name) {
  if (items_.empty()) return nullptr;
  const auto at = index_.find({entry, name});
  return at != index_.end() ? &items_[at->second].value : nullptr;
}

void NamedValues::Add(uint32_t entry, std::string_view name, const Value& value) {
  const std::size_t item = items_.size();
  items_.push_back({name, value, kNone});
  index_.emplace(Key{entry, name}, item);
  const auto [chain, first] = chains_.try_emplace(entry, Chain{item, item});
  if (first) return;
  items_[chain->second.last].next = item;
  chain->second.last = item;
}

void NamedValues::ForEach(uint32_t entry,
                          const std::function<void(std::string_view, const Value&)>& visit) const {
  const auto chain = chains_.find(entry);
  if (chain == chains_.end()) return;
  for (std::size_t i = chain->second.first; i != kNone; i = items_[i].next)
    visit(items_[i].name, items_[i].value);
}

}  // namespace agent
