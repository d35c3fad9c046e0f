// What the pages and endpoints show: plain structs that the agent fills, and the interface through
// which the server asks for them. Nothing here knows HTTP or another room.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/labels.h"
#include "base/metrics/exposition.h"
#include "base/result.h"

namespace agent {

struct AgentInfo {
  std::string version{};  // "0.1.0".
  std::string hostname{};
  std::string config_file{};      // Empty: none.
  double uptime_seconds = 0;      // Since the process was started.
  double config_age_seconds = 0;  // Since the configuration in use was loaded.
};

// One followed file, or another source that is not a file (its offsets stay 0).
struct FileInfo {
  std::string path{};
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t source_id = 0;      // Of the agent's own, which stays through renames and restarts.
  uint32_t generation = 0;     // Grows with each truncation.
  uint64_t read_bytes = 0;     // Offset behind the last byte read.
  uint64_t settled_bytes = 0;  // Offset up to which everything is settled at every output.
  uint64_t size_bytes = 0;
  double lag_seconds = 0;    // Age of the oldest byte that is not settled; 0: none.
  std::string state{};       // "following", "reading to the end", "deleted", …
  std::string last_error{};  // Empty while all is well.

  // What is still to be delivered, read or not.
  [[nodiscard]] uint64_t lag_bytes() const {
    return size_bytes - std::min(size_bytes, settled_bytes);
  }
};

struct TargetStatus {
  Labels labels{};             // After relabelling: what its entries start with.
  Labels discovered_labels{};  // Before it.
  bool ready = false;          // Something is being read.
  std::string path_pattern{};  // "/var/log/*.log"; empty for sources that have none.
  std::string last_error{};
  std::string waits_for{};  // Why nothing is read yet; empty: it is, or there is nothing to read.
  std::vector<FileInfo> files{};
};

struct DroppedTargetInfo {
  Labels discovered_labels{};
  std::string reason{};  // "dropped", "no_path", …
  std::string detail{};  // The rule: "relabel_configs[2] (action keep)". May be empty.
};

// How many values a label of a job has.
struct LabelInfo {
  std::string name{};
  uint64_t values = 0;        // About, beyond the limit.
  uint64_t from_targets = 0;  // Of these.
  uint64_t limit = 0;
  uint64_t exceeded = 0;  // Label sets that were met beyond the limit.
  std::string sample{};   // A value beyond it; empty: none.

  [[nodiscard]] bool too_many() const { return values > limit; }
};

struct JobStatus {
  std::string name{};
  std::vector<TargetStatus> targets{};
  std::vector<DroppedTargetInfo> dropped{};  // Those kept for display.
  std::size_t dropped_count = 0;             // All of them.
  std::vector<LabelInfo> labels{};           // Sorted by name; empty when they are not counted.
  std::vector<std::string> problems{};       // What discovery cannot read or reach at present.
};

// What of a lane is on the disk.
struct LaneBufferInfo {
  uint64_t bytes = 0;
  uint64_t batches = 0;
  uint64_t entries = 0;
  bool full = false;
};

// One lane: an output, or one tenant of it.
struct LaneInfo {
  std::string tenant{};
  std::string state{};  // "idle", "sending", "retrying", "holding", "spilling", "draining".
  std::string last_error{};
  uint32_t attempts = 0;
  std::size_t queued_batches = 0;
  uint64_t queued_bytes = 0;
  double oldest_seconds = 0;               // Age of its oldest unsettled batch; 0: none.
  std::optional<LaneBufferInfo> buffer{};  // None: it has no disk buffer.

  [[nodiscard]] bool well() const {
    return state == "idle" || state == "sending" || state == "draining";
  }
};

struct OutputView {
  std::string name{};
  std::string kind{};      // "loki", "elasticsearch", …
  std::string receiver{};  // URL or path; without secrets.
  uint64_t sent_entries = 0;
  uint64_t sent_bytes = 0;  // As on the wire.
  uint64_t requests = 0;
  uint64_t failed_requests = 0;
  uint64_t retried_entries = 0;
  uint64_t duplicates = 0;
  uint64_t repaired_entries = 0;
  std::vector<std::pair<std::string, uint64_t>> refused{};  // Entries, by reason.
  std::vector<LaneInfo> lanes{};
};

// The ledger of one source at one output.
struct LedgerRow {
  std::string job{};
  std::string source{};
  std::string output{};
  uint64_t read = 0;
  uint64_t settled = 0;
  uint64_t dropped = 0;
  uint64_t in_flight = 0;

  [[nodiscard]] bool balanced() const { return read == settled + dropped + in_flight; }
};

struct Readiness {
  bool ready = false;
  std::string reason{};  // Why not: one sentence.
};

// The agent, as the server sees it. Loop thread.
class AgentView {
 public:
  virtual ~AgentView() = default;

  [[nodiscard]] virtual AgentInfo Info() const = 0;
  [[nodiscard]] virtual Readiness Ready() const = 0;
  // Of all jobs, or of the one with that name; none when there is no such job.
  [[nodiscard]] virtual std::vector<JobStatus> Jobs(std::string_view only) const = 0;
  [[nodiscard]] virtual std::vector<std::string> JobNames() const = 0;
  [[nodiscard]] virtual std::vector<OutputView> Outputs() const = 0;
  [[nodiscard]] virtual std::vector<LedgerRow> Ledger() const = 0;
  // The configuration in use as YAML, secrets masked.
  [[nodiscard]] virtual std::string ConfigText() const = 0;
  // Adds every room's metrics, log-derived ones too. The server adds those of the process, of the
  // log and its own.
  virtual void CollectMetrics(Exposition& page) = 0;
  // Reads the configuration again and takes it over. Calls `done` exactly once, now or later on the
  // loop thread; on an error the old configuration keeps running.
  virtual void Reload(std::function<void(Status)> done) = 0;
};

}  // namespace agent
