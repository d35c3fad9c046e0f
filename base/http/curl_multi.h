// libcurl's transfers on the loop: sockets and timers, nothing about requests.

#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/loop.h"

using CURL = void;
using CURLM = void;

namespace agent {

// Loop thread.
class CurlMulti {
 public:
  // `finished` is told of each transfer that has ended, with its CURLcode; the handle has been
  // taken out by then. It may add handles and remove others.
  CurlMulti(Loop& loop, std::function<void(CURL*, int code)> finished);
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();  // All handles have been removed.

  // Starts the transfer; the handle stays the caller's.
  void Add(CURL* easy);
  // Ends it without telling `finished`.
  void Remove(CURL* easy);

 private:
  static int OnSocket(CURL* easy, int socket, int what, void* self, void* watcher);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  void Act(int socket, int events);
  void ReapFinished();

  Loop& loop_;
  const std::function<void(CURL*, int)> finished_;
  CURLM* multi_;
  Timer timer_;
  std::map<int, std::unique_ptr<FdWatcher>> watchers_;  // By socket.
};

}  // namespace agent
