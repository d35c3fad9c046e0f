// Which file an entry goes to. Values of the entry become parts of names, never folders of their
// own, and cannot lead out of where the pattern points.

#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/entry.h"
#include "base/label_sets.h"
#include "outputs/event_pattern.h"

namespace agent::file {

// Used by one worker's thread.
class PathNamer {
 public:
  explicit PathNamer(const EventPattern& pattern);

  // True when path() has changed. `labels`: the entry's.
  bool Name(const Entry& entry, const LabelSets& sets);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  EventPattern pattern_;
  const bool has_values_;
  bool named_ = false;
  int64_t second_ = std::numeric_limits<int64_t>::min();  // That path_ is good for.
  std::string path_;
  std::string next_;
};

// Makes what begins at `begin` fit for a part of a name: no slash, no control character, no dot in
// front, not empty, not longer than 128 bytes.
void MakeNamePart(std::string& text, std::size_t begin);

// Makes parts of `path` harmless that became `.` or `..`, or too long for a file system, only when
// they were put together.
void RepairPath(std::string& path);

}  // namespace agent::file
