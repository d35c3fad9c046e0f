// What is different between two states of an entry.

#pragma once

#include <vector>

#include "agent/modes/inspect/entry_trace.h"
#include "pipeline/block.h"

namespace agent {

EntryState StateOf(Block& block, EntryIndex entry);

// Line, time, labels, metadata, extracted values, in this order; names sorted.
std::vector<Change> Difference(const EntryState& before, const EntryState& after);

}  // namespace agent
