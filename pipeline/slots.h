// Names become slots: every name that a pipeline can touch is known when it is built, and is an
// index from then on. No hash map and no string per line.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace agent {

using Slot = uint32_t;

// The names of one pipeline, and which of them some stage reads.
class SlotTable {
 public:
  // A name that a stage writes: its slot, new or not.
  Slot Write(std::string_view name);
  // A name that a stage reads: its slot, which is from then on worth filling.
  Slot Read(std::string_view name);
  // Some stage reads names that are not known beforehand (a template that uses `.` as a whole):
  // from then on every slot counts as read, and labels that have no slot are given to it too.
  void ReadEverything() { reads_everything_ = true; }
  // Some stage writes NAME + suffix where there is a NAME already (eventlogmessage): from then on,
  // whoever reads NAME + suffix also reads NAME. There is one such suffix.
  void ReadStems(std::string_view suffix);

  [[nodiscard]] std::optional<Slot> Find(std::string_view name) const;
  [[nodiscard]] const std::string& name(Slot slot) const { return names_[slot]; }
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  // Asked after the whole pipeline is built (Stage::Prepare): does anybody read it?
  [[nodiscard]] bool IsRead(Slot slot) const { return reads_everything_ || read_[slot]; }
  [[nodiscard]] bool reads_everything() const { return reads_everything_; }

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library asks for it
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  Slot Intern(std::string_view name);
  // The stem of a name that is read.
  void ReadStem(std::string_view name);

  std::vector<std::string> names_;
  std::vector<bool> read_;
  std::unordered_map<std::string, Slot, Hash, std::equal_to<>> index_;
  std::string stem_suffix_;
  bool reads_everything_ = false;
};

}  // namespace agent
