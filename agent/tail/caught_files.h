// Logs of containers that live for a moment only. A thread of its own waits for them with inotify,
// opens each as it appears and keeps it open for a while: by the time that the loop has heard of a
// container, asked the daemon about it and come to its log, the log may be deleted.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace agent {

class CaughtFiles {
 public:
  // How many files are held, and for how long; then the oldest is let go.
  static constexpr std::size_t kMaxHeld = 256;
  static constexpr int64_t kHoldNs = 15 * kNanosPerSecond;
  // Containers that were made and have no log yet.
  static constexpr std::size_t kMaxAwaited = 256;

  // Both outlive it. Nothing runs until there are folders.
  CaughtFiles(const Clock& clock, Logger& logger) : clock_(clock), logger_(logger) {}
  CaughtFiles(const CaughtFiles&) = delete;
  CaughtFiles& operator=(const CaughtFiles&) = delete;
  ~CaughtFiles() { Stop(); }

  // In each of these folders a container has one of its own, named by its id, and its log is
  // `ID/ID-json.log`. What is there already is not looked at. Cheap when nothing has changed; a
  // folder that cannot be watched is left out. What is held stays, unless there are no folders any
  // more. Loop thread.
  void SetFolders(const std::vector<std::string>& folders);

  // Another descriptor of the file that appeared at `path`, which may be deleted by now; invalid
  // when none is held. Any thread.
  [[nodiscard]] UniqueFd Open(const std::string& path) const;
  [[nodiscard]] bool Has(const std::string& path) const;
  [[nodiscard]] std::size_t held() const;

 private:
  struct Held {
    UniqueFd fd;
    int64_t since_ns = 0;
  };
  // What a watch is for: a folder of containers, or the one of a container.
  struct Watched {
    std::string folder;
    std::string log;  // The name of the file that is awaited; empty: containers are.
  };

  void Stop();
  void Run();
  // The rest is the thread's alone.
  void ReadEvents();
  void OnCreated(const Watched& watched, const std::string& name);
  void Await(const std::string& folder, const std::string& id);
  bool Catch(const std::string& path);
  void LetGo();

  const Clock& clock_;
  Logger& logger_;
  std::vector<std::string> folders_;  // The loop's.

  std::thread thread_;
  std::atomic<bool> stopping_{false};
  UniqueFd wake_;  // An eventfd.
  UniqueFd inotify_;
  std::unordered_map<int, Watched> watches_;  // The thread's once it runs.
  std::deque<int> awaited_;                   // Watches of containers, the oldest first.

  mutable Mutex mutex_;
  std::unordered_map<std::string, Held> held_ GUARDED_BY(mutex_);
  std::deque<std::string> oldest_first_ GUARDED_BY(mutex_);
};

}  // namespace agent
