// Asks a server on this loop over loopback: the client and the loop take turns on one thread.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "base/loop.h"

namespace agent {

struct ClientAnswer {
  CURLcode error = CURLE_OK;
  long status = 0;
  std::string body;
  std::string head;  // Status line and headers, lower case names as sent.
};

class LoopbackClient {
 public:
  explicit LoopbackClient(Loop& loop);
  LoopbackClient(const LoopbackClient&) = delete;
  LoopbackClient& operator=(const LoopbackClient&) = delete;
  ~LoopbackClient();

  // One request. `prepare` sets further options.
  ClientAnswer Ask(const std::string& url, const std::function<void(CURL*)>& prepare = {});

  // In two steps, for what happens in between.
  void Begin(const std::string& url, const std::function<void(CURL*)>& prepare = {});
  // A few turns; true once the answer is there.
  bool Turn();
  ClientAnswer End();

 private:
  Loop& loop_;
  CURLM* multi_;
  CURL* easy_ = nullptr;
  bool done_ = false;
  ClientAnswer answer_;
};

}  // namespace agent
