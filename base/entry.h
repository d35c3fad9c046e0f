// One log entry that has left the pipeline, as an output's encoder sees it. All views are valid
// only during the call that passes it.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/label_sets.h"
#include "base/source_progress.h"

namespace agent {

struct Metadata {
  std::string_view name;
  std::string_view value;
};

struct Entry {
  LabelSetId labels = kEmptyLabelSet;  // In the worker's LabelSets.
  int64_t timestamp_ns = 0;            // Since 1970, UTC; may be negative.
  std::string_view line;  // Raw bytes; not necessarily UTF-8. 64 readable bytes follow.
  std::span<const Metadata> metadata;

  // Where it comes from: the line of the present source that completed it. 0 bytes: it has none of
  // its own, all its lines are in `holds` (a block that a time limit has ended).
  uint64_t offset = 0;        // Of the line's first byte in the source.
  uint32_t source_bytes = 0;  // Of the line, newline included.
  // Lines of this or another source that were held back until this entry was complete.
  std::span<const std::shared_ptr<HeldBytes>> holds;
};

}  // namespace agent
