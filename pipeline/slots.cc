#include "pipeline/slots.h"

#include "base/check.h"

namespace agent {

Slot SlotTable::Intern(std::string_view name) {
  const auto [at, inserted] =
      index_.try_emplace(std::string(name), static_cast<Slot>(names_.size()));
  if (inserted) {
    names_.emplace_back(name);
    read_.push_back(false);
  }
  return at->second;
}

Slot SlotTable::Write(std::string_view name) {
  return Intern(name);
}

Slot SlotTable::Read(std::string_view name) {
  const Slot slot = Intern(name);
  read_[slot] = true;
  ReadStem(name);
  return slot;
}

void SlotTable::ReadStems(std::string_view suffix) {
  CHECK(!suffix.empty() && (stem_suffix_.empty() || stem_suffix_ == suffix));
  stem_suffix_ = suffix;
  for (Slot slot = 0; slot < names_.size(); ++slot) {
    if (read_[slot]) ReadStem(names_[slot]);
  }
}

void SlotTable::ReadStem(std::string_view name) {
  if (stem_suffix_.empty() || !name.ends_with(stem_suffix_)) return;
  // A copy: `name` may be one of names_, which reading adds to.
  const std::string stem(name.substr(0, name.size() - stem_suffix_.size()));
  if (!stem.empty()) Read(stem);
}

std::optional<Slot> SlotTable::Find(std::string_view name) const {
  const auto at = index_.find(name);
  return at != index_.end() ? std::optional<Slot>(at->second) : std::nullopt;
}

}  // namespace agent
