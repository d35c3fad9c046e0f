// The one event loop of the process: timers, descriptors, and work handed over by other threads.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <uv.h>

#include "base/mutex.h"

namespace agent {

// Stands for "this code runs on the loop thread" in clang's thread-safety analysis.
class CAPABILITY("role") ThreadRole {
 public:
  // Tells the analysis; costs nothing. A libuv callback starts with it.
  void Assert() const ASSERT_CAPABILITY(this) {}
};

extern ThreadRole loop_thread;

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs until Stop(). On the thread that becomes the loop thread.
  void Run();

  // Any thread.
  void Stop();

  // Runs `work` on the loop thread, soon and in order. Any thread. What is posted after the loop
  // has ended is destroyed with the loop, not run.
  void Post(std::function<void()> work);

  // Runs what is ready now without waiting. Loop thread; for tests and for the drain at the end.
  void RunOnce();

  [[nodiscard]] uv_loop_t* uv() { return &loop_; }

 private:
  void RunPosted();

  uv_loop_t loop_{};
  uv_async_t doorbell_{};
  Mutex mutex_;
  std::vector<std::function<void()>> posted_ GUARDED_BY(mutex_);
};

// Calls back once or again and again. Loop thread. Stops when destroyed.
class Timer {
 public:
  explicit Timer(Loop& loop);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  // Replaces what was started before. Zero means: on the loop's next turn.
  void StartOnce(std::chrono::milliseconds delay, std::function<void()> callback);
  void StartRepeating(std::chrono::milliseconds interval, std::function<void()> callback);
  void Stop();
  [[nodiscard]] bool active() const;

 private:
  struct Handle;
  Handle* handle_;  // Owned by libuv from the destructor on, until its close callback.
};

// Watches a descriptor, which stays the caller's. Loop thread. Stops when destroyed.
class FdWatcher {
 public:
  FdWatcher(Loop& loop, int fd);
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;
  ~FdWatcher();

  // `events` is UV_READABLE and/or UV_WRITABLE; `callback` gets (status, events) of libuv.
  void Start(int events, std::function<void(int, int)> callback);
  void Stop();

 private:
  struct Handle;
  Handle* handle_;  // Owned by libuv from the destructor on, until its close callback.
};

// Calls back when the process gets a signal. Loop thread. Stops when destroyed.
class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal_number, std::function<void()> callback);
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher();

 private:
  struct Handle;
  Handle* handle_;  // Owned by libuv from the destructor on, until its close callback.
};

}  // namespace agent
