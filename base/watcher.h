// Tells when something happens in directories: one inotify descriptor for all. Only a hint, to be
// quick: the periodic scan finds everything that is missed here. Directories that inotify cannot
// watch are listed, for polling.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/log.h"
#include "base/loop.h"
#include "base/unique_fd.h"

namespace agent {

// Loop thread.
class Watcher {
 public:
  struct Callbacks {
    // A file's content has changed, in a directory by the name given to SetDirectories().
    std::function<void(const std::string& path)> modified;
    // Names have changed, or events were lost: scan soon.
    std::function<void()> rescan;
    // A file has come, by rename as well, in a directory as above; `rescan` follows. May be empty.
    std::function<void(const std::string& path)> created = nullptr;
  };

  // `loop` and `logger` outlive the watcher. `room` is whose log lines it writes; a literal.
  Watcher(Loop& loop, Logger& logger, std::string_view room, Callbacks callbacks);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  // Watches these and no others. Cheap when little has changed.
  void SetDirectories(const std::vector<std::string>& directories);
  // One more, until SetDirectories() says otherwise.
  void Watch(const std::string& directory) { Add(directory); }

  // A directory whose files changed without inotify saying so (some network and overlay file
  // systems).
  void SetSilent(const std::string& directory);

  // Those that inotify does not serve: no watch left, no inotify at all, a network file system.
  [[nodiscard]] const std::set<std::string>& polled() const { return polled_; }
  [[nodiscard]] std::size_t watches() const { return by_path_.size(); }
  [[nodiscard]] bool available() const { return fd_.valid(); }

  // Reads what has come, and calls back. The loop does it; a test may.
  void ReadEvents();

 private:
  struct Event {
    int watch = -1;
    uint32_t mask = 0;
    std::string name;
  };

  void Listen();
  void Add(const std::string& directory);
  void Remove(const std::string& directory);
  void Dropped(int watch);
  void ExplainExhausted(const std::string& directory);
  bool TakeBatch(std::vector<Event>& events);
  void Dispatch(const std::vector<Event>& events);

  Loop& loop_;
  Logger& logger_;
  const std::string_view room_;
  const Callbacks callbacks_;
  UniqueFd fd_;
  std::unique_ptr<FdWatcher> readable_;
  Timer pause_;
  std::unordered_map<std::string, int> by_path_;
  // One watch may serve several names of the same directory.
  std::unordered_map<int, std::vector<std::string>> by_watch_;
  std::unordered_set<std::string> on_network_;  // Of by_path_: polled.
  std::set<std::string> polled_;
  std::set<std::string> silent_;
};

}  // namespace agent
