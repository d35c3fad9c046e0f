// The ledger of a job: the sum over all its sources, those that have ended included. For every
// output, read = settled + dropped + in flight.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace agent {

// Thread-safe. Bytes of the sources, newlines included.
struct JobLedger {
  explicit JobLedger(std::size_t output_count)
      : settled_bytes(output_count), dropped_bytes(output_count) {}

  std::atomic<uint64_t> read_bytes{0};
  std::atomic<uint64_t> read_lines{0};
  std::atomic<uint64_t> pipeline_dropped_bytes{0};
  std::vector<std::atomic<uint64_t>> settled_bytes;  // By output.
  std::vector<std::atomic<uint64_t>> dropped_bytes;  // By output: refused, or lost to a limit.

  [[nodiscard]] uint64_t InFlight(std::size_t output) const {
    // Counted in this order, so that a count in between never makes it negative.
    const uint64_t done = settled_bytes[output] + dropped_bytes[output] + pipeline_dropped_bytes;
    return read_bytes - done;
  }
};

}  // namespace agent
