#include "pipeline/slots.h"

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
  return slot;
}

std::optional<Slot> SlotTable::Find(std::string_view name) const {
  const auto at = index_.find(std::string(name));
  return at != index_.end() ? std::optional<Slot>(at->second) : std::nullopt;
}

}  // namespace agent
