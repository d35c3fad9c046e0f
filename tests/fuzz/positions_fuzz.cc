// Positions and journal from hostile bytes: no crash, and what is understood is understood again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/tail/glob.h"
#include "agent/tail/journal.h"
#include "agent/tail/positions_file.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void FuzzPositions(std::string_view text) {
  const agent::ParsedPositions parsed = agent::ParsePositions(text);
  const std::string written = agent::FormatPositions(parsed.entries);
  const agent::ParsedPositions again = agent::ParsePositions(written);
  Require(again.bad_lines == 0);
  Require(agent::FormatPositions(again.entries) == written);
  for (const auto& [key, value] : parsed.entries)
    (void)agent::ParseOffset(value);
}

void FuzzJournal(std::string_view bytes) {
  agent::JournalState state;
  agent::JournalReport report;
  agent::ReplayJournal(bytes, state, report);
  agent::JournalState again;
  agent::JournalReport clean;
  agent::ReplayJournal(agent::FormatJournal(state), again, clean);
  Require(clean.damaged_records == 0 && clean.torn_bytes == 0);
  Require(again == state);
}

void FuzzGlob(std::string_view text) {
  const std::size_t middle = text.find('\n');
  if (middle == std::string_view::npos || text.size() > 4096) return;
  const auto glob = agent::Glob::Compile(text.substr(0, middle));
  if (glob.ok()) (void)glob->Match(text.substr(middle + 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are what a file has.
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      FuzzPositions(text);
      break;
    case 1:
      FuzzJournal(text);
      break;
    default:
      FuzzGlob(text);
      break;
  }
  return 0;
}
