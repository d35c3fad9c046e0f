// Tells how far a backfill is: a bar on a terminal, a log line every few seconds elsewhere, and a
// sentence at the end.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "agent/backfill_status.h"
#include "base/clock.h"
#include "base/log.h"

namespace agent {

// The bar and what stands beside it, in at most `width` columns. `seconds`: since the start.
std::string BackfillBar(const BackfillStatus& status, double seconds, int width);
// "delivered 1,000 lines (12.0 KiB) of 2 files in 0.3 s".
std::string BackfillSentence(const BackfillStatus& status, double seconds);

// Loop thread.
class BackfillReport {
 public:
  // `terminal`: standard error is one, and gets the bar. All outlive the report.
  BackfillReport(bool terminal, const Clock& clock, Logger& logger);

  // How often Show() is wanted.
  [[nodiscard]] std::chrono::milliseconds interval() const;
  void Show(const BackfillStatus& status);
  // The last word. True when everything was delivered.
  bool Finish(const BackfillStatus& status);

 private:
  [[nodiscard]] double Seconds() const;

  const bool terminal_;
  const Clock& clock_;
  Logger& logger_;
  const int64_t started_ns_;
};

}  // namespace agent
