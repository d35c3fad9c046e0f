// A source that yields what a test gives it.

#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/tail/source.h"

namespace agent {

class FakeSource final : public Source {
 public:
  FakeSource(std::string job, Labels labels, std::size_t outputs = 1)
      : job_(std::move(job)),
        labels_(std::move(labels)),
        progress_(
            std::make_shared<SourceProgress>(job_, std::vector<uint64_t>(outputs, 0), nullptr)) {}

  // Whole lines, read as one block. Any thread.
  void Give(std::string lines) {
    const std::lock_guard<std::mutex> lock(mutex_);
    chunks_.push_back(std::move(lines));
  }
  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  // Called at the beginning of each Read(). Before it is given away.
  void OnRead(std::function<void()> on_read) { on_read_ = std::move(on_read); }
  void SetPredecessor(const Source* predecessor) { predecessor_ = predecessor; }
  void SetTrims() { trims_ = true; }
  void SetNotRereadable() { rereadable_ = false; }
  [[nodiscard]] std::size_t unread() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return chunks_.size();
  }

  ReadStatus Read(BlockBuffer& buffer, std::size_t /*max_bytes*/, Chunk& chunk) override {
    if (on_read_) on_read_();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (chunks_.empty()) return ended_ ? ReadStatus::kEnded : ReadStatus::kIdle;
    const std::string& lines = chunks_.front();
    std::memcpy(buffer.Ensure(lines.size()), lines.data(), lines.size());
    chunk.data = {buffer.data(), lines.size()};
    chunk.offset = offset_;
    offset_ += lines.size();
    chunks_.pop_front();
    return ReadStatus::kData;
  }
  [[nodiscard]] const Labels& labels() const override { return labels_; }
  [[nodiscard]] const std::string& job() const override { return job_; }
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const override {
    return progress_;
  }
  [[nodiscard]] uint64_t lineage() const override { return 0; }
  [[nodiscard]] const Source* predecessor() const override {
    const auto* fake = static_cast<const FakeSource*>(predecessor_);
    return fake != nullptr && fake->unread() > 0 ? fake : nullptr;
  }
  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] bool rereadable() const override { return rereadable_; }
  [[nodiscard]] bool trims_lines() const override { return trims_; }

 private:
  const std::string job_;
  const Labels labels_;
  const std::shared_ptr<SourceProgress> progress_;
  std::function<void()> on_read_;
  const Source* predecessor_ = nullptr;
  bool trims_ = false;
  bool rereadable_ = true;
  mutable std::mutex mutex_;
  std::deque<std::string> chunks_;
  uint64_t offset_ = 0;
  bool ended_ = false;
};

}  // namespace agent
