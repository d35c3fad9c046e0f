// What happened to one entry on its way through the stages, as plain data: what --inspect shows.
// Views point into the block and its label sets: valid until the block is filled again.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "base/value.h"
#include "pipeline/stage_observer.h"

namespace agent {

// Where a line stands.
struct LineOrigin {
  std::string source;            // The path, or "stdin".
  std::optional<uint64_t> line;  // From 1; nullopt: the file was not read from its beginning.
  uint64_t offset = 0;           // Of its first byte.
};

// One thing that is different behind a stage.
struct Change {
  enum class What : uint8_t { kLine, kTimestamp, kLabel, kMetadata, kExtracted };

  What what = What::kLine;
  std::string_view name;  // Of the label, metadata or extracted value.
  Value before;           // Absent: it is added. Not of kTimestamp.
  Value after;            // Absent: it is removed.
  int64_t before_ns = 0;  // kTimestamp.
  int64_t after_ns = 0;
};

struct TraceStep {
  enum class Outcome : uint8_t { kPassed, kDropped, kKept, kEmerged, kAbsorbed };

  const StagePlace* stage = nullptr;
  Outcome outcome = Outcome::kPassed;
  std::string_view reason;  // kDropped.
  std::vector<Change> changes;
  std::vector<std::string_view> failures;  // What the stage could not handle, in words.
  // Lines that became part of the entry here: kept back before, or standing behind it.
  std::vector<LineOrigin> joined;
  std::optional<LineOrigin> into;  // kAbsorbed: the first line of the entry it became part of.
};

// How an entry stands in its block at one moment.
struct EntryState {
  std::string_view line;
  int64_t timestamp_ns = 0;
  std::vector<std::pair<std::string_view, std::string_view>> labels;  // By name.
  std::vector<std::pair<std::string_view, Value>> extracted;          // In the order of the slots.
  std::vector<Metadata> metadata;
  std::size_t holds = 0;  // Lines kept back before that are part of it.
};

struct EntryTrace {
  enum class End : uint8_t { kSent, kDropped, kKept, kRateLimited, kAbsorbed };

  uint64_t number = 0;  // Counts up over the whole run.
  std::string_view job;
  BlockCause cause = BlockCause::kLines;
  std::vector<LineOrigin> origins;  // The line, or the lines kept back of which it consists.
  EntryState first;                 // As it was read, or as it came out of the stage that kept it.
  std::vector<TraceStep> steps;     // In the order in which stages were begun.
  End end = End::kSent;
  EntryState last;  // How it left.
};

}  // namespace agent
