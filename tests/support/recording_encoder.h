// An encoder that keeps what it is given; a test waits for what it expects.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "outputs/encoder.h"

namespace agent {

// What a RecordingEncoder has seen. Thread-safe.
class Recorded {
 public:
  void Add(std::string text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.push_back(std::move(text));
    changed_.notify_all();
  }
  void AddTime(int64_t ns) {
    const std::lock_guard<std::mutex> lock(mutex_);
    times_.push_back(ns);
  }
  void AddFlush() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++flushes_;
    changed_.notify_all();
  }
  std::vector<std::string> lines() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }
  // Of the lines.
  std::vector<int64_t> times() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return times_;
  }
  int flushes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return flushes_;
  }
  // False when it has not come to that within half a minute.
  bool WaitForLines(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30),
                             [&] { return lines_.size() >= count; });
  }
  bool WaitForFlushes(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return flushes_ >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::vector<int64_t> times_;
  int flushes_ = 0;
};

class RecordingEncoder final : public Encoder {
 public:
  RecordingEncoder(LabelSets& sets, Recorded& recorded) : sets_(sets), recorded_(recorded) {}

  void BeginSource(std::shared_ptr<SourceProgress> /*progress*/) override {}
  void Add(const Entry& entry, int64_t /*now_ns*/) override {
    std::string text = std::string(sets_.Text(entry.labels)) + " " + std::string(entry.line);
    for (const Metadata& pair : entry.metadata)
      text += " [" + std::string(pair.name) + "=" + std::string(pair.value) + "]";
    recorded_.AddTime(entry.timestamp_ns);
    recorded_.Add(std::move(text));
    open_ = true;
  }
  [[nodiscard]] std::optional<int64_t> NextDeadline() const override { return std::nullopt; }
  void Flush(int64_t /*now_ns*/) override {
    if (open_) recorded_.AddFlush();
    open_ = false;
  }
  void Abandon() override {}
  [[nodiscard]] std::size_t open_bytes() const override { return 0; }

 private:
  LabelSets& sets_;
  Recorded& recorded_;
  bool open_ = false;
};

}  // namespace agent
