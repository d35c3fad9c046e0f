#include "base/loop.h"

#include <cstdint>
#include <utility>

#include "base/check.h"

namespace agent {

ThreadRole loop_thread;

Loop::Loop() {
  CHECK(uv_loop_init(&loop_) == 0);
  doorbell_.data = this;
  CHECK(uv_async_init(&loop_, &doorbell_, [](uv_async_t* async) {
          static_cast<Loop*>(async->data)->RunPosted();
        }) == 0);
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&doorbell_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);  // Runs the close callbacks of all handles that are closing.
  uv_loop_close(&loop_);
}

void Loop::Run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void Loop::Stop() {
  Post([this] { uv_stop(&loop_); });
}

void Loop::Post(std::function<void()> work) {
  {
    const MutexLock lock(mutex_);
    posted_.push_back(std::move(work));
  }
  uv_async_send(&doorbell_);
}

void Loop::RunOnce() {
  uv_run(&loop_, UV_RUN_NOWAIT);
}

void Loop::RunPosted() {
  // uv_async_send coalesces: take everything, whatever the number of rings.
  std::vector<std::function<void()>> work;
  {
    const MutexLock lock(mutex_);
    work.swap(posted_);
  }
  for (auto& item : work)
    item();
}

struct Timer::Handle {
  uv_timer_t timer{};
  std::function<void()> callback;
};

Timer::Timer(Loop& loop) : handle_(new Handle) {
  handle_->timer.data = handle_;
  uv_timer_init(loop.uv(), &handle_->timer);
}

Timer::~Timer() {
  handle_->callback = nullptr;
  uv_timer_stop(&handle_->timer);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->timer),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

void Timer::StartOnce(std::chrono::milliseconds delay, std::function<void()> callback) {
  handle_->callback = std::move(callback);
  uv_update_time(handle_->timer.loop);
  uv_timer_start(
      &handle_->timer,
      [](uv_timer_t* timer) {
        // A copy, because the callback may start the timer anew or destroy it.
        const std::function<void()> run = static_cast<Handle*>(timer->data)->callback;
        run();
      },
      static_cast<uint64_t>(delay.count()), 0);
}

void Timer::StartRepeating(std::chrono::milliseconds interval, std::function<void()> callback) {
  StartOnce(interval, std::move(callback));
  uv_timer_set_repeat(&handle_->timer, static_cast<uint64_t>(interval.count()));
}

void Timer::Stop() {
  uv_timer_stop(&handle_->timer);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->timer)) != 0;
}

struct FdWatcher::Handle {
  uv_poll_t poll{};
  std::function<void(int, int)> callback;
};

FdWatcher::FdWatcher(Loop& loop, int fd) : handle_(new Handle) {
  handle_->poll.data = handle_;
  CHECK(uv_poll_init(loop.uv(), &handle_->poll, fd) == 0);
}

FdWatcher::~FdWatcher() {
  handle_->callback = nullptr;
  uv_poll_stop(&handle_->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

void FdWatcher::Start(int events, std::function<void(int, int)> callback) {
  handle_->callback = std::move(callback);
  uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
    const std::function<void(int, int)> run = static_cast<Handle*>(poll->data)->callback;
    run(status, ready);
  });
}

void FdWatcher::Stop() {
  uv_poll_stop(&handle_->poll);
}

struct SignalWatcher::Handle {
  uv_signal_t signal{};
  std::function<void()> callback;
};

SignalWatcher::SignalWatcher(Loop& loop, int signal_number, std::function<void()> callback)
    : handle_(new Handle) {
  handle_->signal.data = handle_;
  handle_->callback = std::move(callback);
  CHECK(uv_signal_init(loop.uv(), &handle_->signal) == 0);
  uv_signal_start(
      &handle_->signal,
      [](uv_signal_t* signal, int /*number*/) {
        const std::function<void()> run = static_cast<Handle*>(signal->data)->callback;
        run();
      },
      signal_number);
}

SignalWatcher::~SignalWatcher() {
  handle_->callback = nullptr;
  uv_signal_stop(&handle_->signal);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->signal),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

}  // namespace agent
