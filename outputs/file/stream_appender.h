// Writes batches to standard output, or another descriptor that somebody reads: as fast as they
// read, and for as long as it takes.

#pragma once

#include <atomic>

#include "outputs/file/appender.h"

namespace agent::file {

class StreamAppender final : public Appender {
 public:
  // `fd` stays the caller's. SIGPIPE is ignored by the process.
  explicit StreamAppender(int fd) : fd_(fd) {}

  // Bodies are written in pieces that end with a line where a line is no longer than 4 KiB: when
  // it is interrupted, the reader has whole lines.
  AppendResult Append(const AppendJob& job) override;
  void Interrupt() override { interrupted_.store(true); }

 private:
  [[nodiscard]] bool WaitWritable(std::string& error) const;

  const int fd_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace agent::file
