// The story of an entry for tools: a JSON object a line for each stage that the entry has come to,
// and one for the entry. README.md, "Seeing why", describes their keys.

#pragma once

#include <string>

#include "agent/modes/inspect/entry_trace.h"

namespace agent {

std::string FormatTraceJson(const EntryTrace& trace);

}  // namespace agent
