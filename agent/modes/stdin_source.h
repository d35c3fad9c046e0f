// Standard input as a source: read until its end, once; it has no position.

#pragma once

#include <memory>
#include <string>

#include "agent/tail/source.h"
#include "base/log.h"
#include "base/source_progress.h"
#include "base/unique_fd.h"

namespace agent {

class StdinSource final : public Source {
 public:
  // Reads `fd`, which it owns. `outputs`: how many there are.
  StdinSource(UniqueFd fd, std::string job, Labels labels, std::size_t outputs, Logger& logger);

  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;
  [[nodiscard]] const Labels& labels() const override { return labels_; }
  [[nodiscard]] const std::string& job() const override { return job_; }
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const override {
    return progress_;
  }
  [[nodiscard]] uint64_t lineage() const override { return 0; }
  [[nodiscard]] const Source* predecessor() const override { return nullptr; }
  [[nodiscard]] std::string name() const override { return "stdin"; }
  [[nodiscard]] bool rereadable() const override { return false; }
  [[nodiscard]] bool trims_lines() const override { return true; }

  // For waiting until there is something to read.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  // Moves the incomplete line to the front of the buffer and reads behind it. 0 at the end of the
  // input, -1 when there is nothing now.
  ssize_t Fill(BlockBuffer& buffer, std::size_t max_bytes);

  UniqueFd fd_;
  const std::string job_;
  const Labels labels_;
  const std::shared_ptr<SourceProgress> progress_;
  Logger& logger_;
  std::string incomplete_;  // The start of a line whose end has not been read.
  uint64_t offset_ = 0;     // Of `incomplete_`.
};

}  // namespace agent
