// A receiver of Loki's push requests that answers as a test wants: any status, late, half, never,
// or by hanging up; and that remembers what it was sent.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/push_decoder.h"

namespace agent {

// What the sink does with one request.
struct SinkAnswer {
  enum class Way : uint8_t {
    kAnswer,
    kHangUp,         // Closes without an answer, once the request is read.
    kResetInBody,    // Resets the connection after `read_bytes` of the body.
    kHalfAnswer,     // Closes in the middle of the answer's head.
    kCutBody,        // Closes in the middle of the answer's body.
    kStall,          // Says nothing, until the other side or Stop() closes.
    kAnswerAndClose  // Closes after the answer without announcing it: the next request meets a dead
                     // connection.
  };

  Way way = Way::kAnswer;
  int status = 204;
  std::map<std::string, std::string> headers;
  std::string body;
  std::chrono::milliseconds delay{0};     // Before the answer.
  std::size_t read_bytes = 1000;          // For kResetInBody.
  std::size_t read_bytes_per_second = 0;  // Of the body; 0: as fast as it comes.
};

struct SinkRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // By name in lower case.
  std::string tenant;                          // X-Scope-OrgID.
  std::size_t body_bytes = 0;
  std::string body;  // Only of what is not a push request.
  bool decoded = false;
  int streams = 0;
  std::vector<PushedEntry> entries;
  int status = 0;           // What was answered; 0: nothing.
  uint64_t connection = 0;  // Which connection it came on, counted from 1.
  std::chrono::steady_clock::time_point arrived;
};

// Thread-safe. Each connection has a thread of its own.
class ScriptableSink {
 public:
  struct Options {
    uint16_t port = 0;  // 0: any that is free.
    // Files in PEM form; empty: plain HTTP. With a client CA, clients must have a certificate of
    // it.
    std::string certificate;
    std::string key;
    std::string client_ca;
    bool keep_requests = true;  // False: only counts, for long runs.
    // Answers requests whose path begins with "/__"; they are not recorded. On the threads of
    // connections.
    std::function<SinkAnswer(const SinkRequest&)> control;
  };

  // Listens on 127.0.0.1; aborts when it cannot.
  ScriptableSink() : ScriptableSink(Options()) {}
  explicit ScriptableSink(const Options& options);
  ScriptableSink(const ScriptableSink&) = delete;
  ScriptableSink& operator=(const ScriptableSink&) = delete;
  ~ScriptableSink();

  [[nodiscard]] uint16_t port() const;
  // http(s)://127.0.0.1:PORT/loki/api/v1/push
  [[nodiscard]] std::string push_url() const;
  [[nodiscard]] std::string Url(const std::string& path) const;

  // Answers for the next push requests, one each; after them the default.
  void Script(std::vector<SinkAnswer> answers);
  void SetDefault(SinkAnswer answer);
  // A path of its own, which takes no answers from the script: a token endpoint, say.
  void SetRoute(const std::string& path, SinkAnswer answer);
  // Hangs up all connections; new ones are taken.
  void HangUp();

  [[nodiscard]] std::vector<SinkRequest> requests() const;
  // Entries of the requests that were answered 2xx, in the order of the answers.
  [[nodiscard]] std::vector<PushedEntry> accepted() const;
  [[nodiscard]] uint64_t accepted_entries() const;
  [[nodiscard]] uint64_t connections() const;
  [[nodiscard]] uint64_t request_count() const;
  // False after `timeout`.
  [[nodiscard]] bool WaitForRequests(
      std::size_t count, std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

  // Forgets the script, requests and counts.
  void Clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace agent
