// A container's log as a source that is no file: what came from the daemon waits here until the
// worker takes it. The lines are those that the json-file driver writes, so that what follows is
// the same.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/tail/source.h"
#include "base/mutex.h"

namespace agent {

class DockerLogSource final : public Source {
 public:
  struct Init {
    std::string name;
    std::string job;
    Labels labels;
    ContainerStreams streams;
    uint64_t lineage = 0;
    std::shared_ptr<SourceProgress> progress;
    // There is room again. Any thread.
    std::function<void()> drained;
  };
  explicit DockerLogSource(Init init) : init_(std::move(init)) {}

  // --- The worker's.
  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;
  [[nodiscard]] const Labels& labels() const override { return init_.labels; }
  [[nodiscard]] const ContainerStreams* streams() const override { return &init_.streams; }
  [[nodiscard]] const std::string& job() const override { return init_.job; }
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const override {
    return init_.progress;
  }
  [[nodiscard]] uint64_t lineage() const override { return init_.lineage; }
  [[nodiscard]] const Source* predecessor() const override { return nullptr; }
  [[nodiscard]] std::string name() const override { return init_.name; }

  // --- The loop's.
  // Whole lines. Returns how many bytes wait now.
  std::size_t Add(std::string_view lines);
  // It ends when what waits has been read.
  void End();

 private:
  const Init init_;
  uint64_t offset_ = 0;  // The worker's: of the first byte that waits.
  mutable Mutex mutex_;
  std::string waiting_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
};

}  // namespace agent
