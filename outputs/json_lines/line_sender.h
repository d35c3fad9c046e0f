// Takes batches of lines from an output's queue and brings them to a receiver.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "outputs/json_lines/json_lines_options.h"
#include "outputs/json_lines/line_batch.h"
#include "outputs/output.h"

namespace agent::json_lines {

// Loop thread.
class LineSender {
 public:
  // What is passed by reference outlives the sender.
  struct Dependencies {
    const JsonLinesOptions& options;
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    OutputCounters& counters;
    std::deque<LineBatch>& queue;    // What comes back goes in front.
    std::function<void()> finished;  // Something was finished.
  };

  virtual ~LineSender() = default;

  // Sends what may be sent; to be called when something was queued.
  virtual void Pump() = 0;
  // Everything that was taken from the queue is finished.
  [[nodiscard]] virtual bool idle() const = 0;
  // From now on the end is near: whatever makes the receiver say that it has everything.
  virtual void BeginDrain() = 0;
  // Nothing will be sent before that time.
  [[nodiscard]] virtual bool IsHopeless(int64_t deadline_ns) const = 0;
  // What is not finished is given up.
  virtual void Abandon() = 0;
  // Adds what was taken from the queue, and how it goes.
  virtual void AddStatus(LaneStatus& status) const = 0;
};

}  // namespace agent::json_lines
