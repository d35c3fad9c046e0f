// What an entry of the journal says, and what Promtail calls it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

// The fields of one entry after the other, as far as they are wanted. Of a field that an entry has
// several times the last one counts, as in Promtail.
class JournalFields {
 public:
  struct Field {
    std::string name;
    std::string value;  // Any bytes.
    bool present = false;
  };

  // Only these.
  explicit JournalFields(std::vector<std::string> wanted);
  // All there are.
  JournalFields() : all_(true) {}

  // Begins the next entry.
  void Clear();
  void Add(std::string_view name, std::string_view value);

  // Null: the entry has no such field, or it is not wanted. Valid until the next Clear() or Add().
  [[nodiscard]] const std::string* Find(std::string_view name) const;
  // Sorted by name; those that are not `present` are of other entries.
  [[nodiscard]] const std::vector<Field>& all() const { return fields_; }

 private:
  const bool all_ = false;
  std::vector<Field> fields_;
};

// A JSON object of all fields, sorted by name, as Promtail's `json: true` has it. Appended.
void AppendJournalJson(const JournalFields& fields, std::string& out);

// "_SYSTEMD_UNIT" is "__journal__systemd_unit".
std::string JournalLabelName(std::string_view field);
// "3" is "error"; what is no priority stays as it is.
std::string_view JournalPriorityKeyword(std::string_view priority);

// The time in microseconds that a cursor has; nothing when it is none.
std::optional<uint64_t> JournalCursorTime(std::string_view cursor);

}  // namespace agent
