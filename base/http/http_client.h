// Sends requests over HTTP/1.1 with kept connections: TLS, authorization, proxies, time limits.
// Retrying, backing off and reading the answer's meaning are the caller's.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/http/http_options.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"

namespace agent {

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  // These win over the configured ones.
  std::string_view body;          // The caller keeps it until the request is done or cancelled.
  std::size_t keep_bytes = 1024;  // How much of the answer is handed back.
};

struct HttpResponse {
  int status = 0;           // 0: no answer; `error` says why.
  std::string status_text;  // "404 Not Found".
  std::string error;
  std::string body;                            // At most keep_bytes.
  std::map<std::string, std::string> headers;  // By name in lower case.
  std::chrono::nanoseconds duration{0};
};

// Loop thread. `loop`, `clock` and `logger` outlive it.
class HttpClient {
 public:
  using Done = std::function<void(const HttpResponse&)>;
  using Id = uint64_t;

  // Of an answer that is longer, the rest is not waited for.
  static constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 10;

  HttpClient(Loop& loop, const Clock& clock, Logger& logger, HttpOptions options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();  // Cancels all. Not from within a callback.

  // Calls `done` once, later, never from within. Credentials and certificates are read again first.
  // A kept connection that turns out to be closed is replaced at once, without failing.
  Id Send(HttpRequest request, Done done);
  // `done` is not called. No effect when it has been.
  void Cancel(Id id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace agent
