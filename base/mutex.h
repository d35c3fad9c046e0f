// A mutex that clang's -Wthread-safety understands, and the annotations that go with it.

#pragma once

#include <mutex>

#if defined(__clang__)
#define AGENT_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define AGENT_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) AGENT_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY AGENT_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) AGENT_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) AGENT_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) AGENT_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) AGENT_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) AGENT_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) AGENT_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define ASSERT_CAPABILITY(x) AGENT_THREAD_ANNOTATION(assert_capability(x))

namespace agent {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  bool try_lock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() RELEASE() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace agent
