// The thread that does the disk work of one output's buffers: the loop of the process never waits
// for a disk.

#pragma once

#include <functional>
#include <thread>
#include <utility>

#include "base/loop.h"

namespace agent {

class DiskThread {
 public:
  DiskThread() : thread_([this] { loop_.Run(); }) {}
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;
  ~DiskThread() { Stop(); }

  // In order. Any thread.
  void Post(std::function<void()> work) { loop_.Post(std::move(work)); }
  // What was posted before is done when it returns.
  void Stop() {
    if (!thread_.joinable()) return;
    loop_.Post([this] { loop_.Stop(); });
    thread_.join();
  }
  // For timers of what runs on it.
  [[nodiscard]] Loop& loop() { return loop_; }

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace agent
