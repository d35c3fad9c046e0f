// One log entry that has left the pipeline, as an output's encoder sees it. All views are valid
// only during the call that passes it.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/label_sets.h"
#include "base/source_progress.h"
#include "base/value.h"

namespace agent {

struct Metadata {
  std::string_view name;
  std::string_view value;
};

// A value that was extracted from the line, which an output wants for its documents.
struct Field {
  std::string_view name;
  Value value;  // Usable.
};

struct Entry {
  LabelSetId labels = kEmptyLabelSet;  // In the worker's LabelSets.
  int64_t timestamp_ns = 0;            // Since 1970, UTC; may be negative.
  std::string_view line;  // Raw bytes; not necessarily UTF-8. 64 readable bytes follow.
  std::span<const Metadata> metadata;
  // Those that any output has asked for (Output::WantedFields()), as far as the entry has them.
  std::span<const Field> fields;

  // Where it comes from: the line of the present source that completed it, or several lines that
  // were put together. 0 bytes: it has none of its own, all its lines are in `holds` (a block that
  // a time limit has ended).
  uint64_t offset = 0;        // Of the first line's first byte in the source.
  uint64_t last_offset = 0;   // Of the last line's, where there are several.
  uint32_t source_bytes = 0;  // Of all of them, newlines included.
  // Lines of this or another source that were held back until this entry was complete.
  std::span<const std::shared_ptr<HeldBytes>> holds;
};

// Whether all that the entry consists of was settled at that output before a restart. `start`: up
// to where the present source was settled there.
inline bool SettledBefore(const Entry& entry, std::size_t output, uint64_t start) {
  if (entry.source_bytes > 0 && std::max(entry.offset, entry.last_offset) >= start) return false;
  if (entry.source_bytes == 0 && entry.holds.empty()) return false;
  return std::all_of(entry.holds.begin(), entry.holds.end(),
                     [output](const auto& held) { return held->SettledBefore(output); });
}

}  // namespace agent
