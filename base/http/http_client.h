// Sends requests over HTTP/1.1 with kept connections: TLS, authorization, proxies, time limits.
// Retrying, backing off and reading the answer's meaning are the caller's.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
  std::optional<std::chrono::milliseconds> timeout;  // In place of HttpOptions::timeout; 0: none.

  // For answers without an end: gets the body of a 2xx answer piece by piece, which is then not
  // kept and may have any length. Called from within libcurl: of the client it may call Pause()
  // and nothing else.
  std::function<void(std::string_view)> on_data;
  // The head of a 2xx answer has come; for `on_data` alone, and with the same rule.
  std::function<void()> on_head;
};

struct HttpResponse {
  int status = 0;                              // 0: no answer; `error` says why.
  std::string status_text;                     // "404 Not Found".
  std::string error;                           // Also of an answer to `on_data` that broke off.
  bool never_sent = false;                     // Nobody has seen anything of the request.
  std::string body;                            // At most keep_bytes.
  std::map<std::string, std::string> headers;  // By name in lower case.
  std::chrono::nanoseconds duration{0};
};

// Loop thread. `loop`, `clock` and `logger` outlive it.
class HttpClient {
 public:
  using Done = std::function<void(const HttpResponse&)>;
  using Id = uint64_t;

  // Of an answer that is longer than this and than `keep_bytes`, the rest is not waited for.
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

  // No more data is taken from the connection of an answer to `on_data`, until Resume(). A piece
  // or two that were read already stay in libcurl.
  void Pause(Id id);
  void Resume(Id id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace agent
