// Outputs and their lanes, as `/outputs` and `/targets` show them.

#pragma once

#include <vector>

#include "agent/http/html.h"
#include "agent/http/json_writer.h"
#include "agent/http/state.h"

namespace agent {

// "All well", or how many lanes wait.
void AppendLanesTile(const std::vector<OutputView>& outputs, HtmlPage& page);
// A whole cell.
void AppendLaneState(const LaneInfo& lane, HtmlPage& page);
// Into an object that is open.
void AppendLaneMembers(const LaneInfo& lane, JsonWriter& json);

}  // namespace agent
