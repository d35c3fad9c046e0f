// How the agent is, in a line: for who looks at it from outside, such as `systemctl status`.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace agent {

struct AgentSummary {
  uint64_t files = 0;                   // Followed now.
  uint64_t other_sources = 0;           // Likewise: the journal, listeners, containers by API.
  uint64_t sent_entries = 0;            // Delivered by all outputs together, since the start.
  std::vector<std::string> problems{};  // The worst first; empty: all is well.
};

// "12 files and 1 other source followed, 3456 entries sent; loki: retrying: refused". One line, of
// at most a few hundred bytes.
std::string SummaryText(const AgentSummary& summary);

}  // namespace agent
