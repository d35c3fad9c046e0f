// Carries out the set-up of an Elasticsearch output: in the background, host after host, again and
// again until the receiver has answered.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/elasticsearch/setup.h"

namespace agent::elasticsearch {

// Loop thread. Not destroyed from within a callback of its own.
class SetupRunner {
 public:
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
  };
  // For ever; once: so many tries without an answer at most, and what is forbidden is not tried
  // again.
  enum class Mode : uint8_t { kForEver, kOnce };

  // `options` have a set-up, and outlive it, as do the dependencies.
  SetupRunner(const ElasticsearchOptions& options, const Dependencies& dependencies, Random random,
              Mode mode);
  SetupRunner(const SetupRunner&) = delete;
  SetupRunner& operator=(const SetupRunner&) = delete;
  ~SetupRunner() = default;

  // Calls `over` once, later: when everything was answered, or it is given up. With kForEver also
  // when the receiver answers for long and says nothing: documents need not wait for it any longer.
  void Start(std::function<void()> over);

  [[nodiscard]] bool over() const { return over_; }
  // Neither over nor on its way: it waits for a host to come back.
  [[nodiscard]] bool waiting() const { return !over_ && !request_; }
  [[nodiscard]] const Setup& setup() const { return *setup_; }
  // Why it is not done; empty when it is.
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  void Send();
  void OnAnswer(const HttpResponse& response);
  void OnNothing(const HttpResponse& response);
  void OnDone();
  void Over();
  void LogNotes();
  void Again(std::chrono::milliseconds delay);

  const ElasticsearchOptions& options_;
  Dependencies dependencies_;
  const Mode mode_;
  std::unique_ptr<Setup> setup_;
  HttpClient client_;
  Backoff backoff_;         // Without an answer.
  Backoff forbidden_wait_;  // Until somebody may have given a privilege.
  Timer timer_;
  std::optional<HttpClient::Id> request_;
  std::string body_;  // Of the request.
  std::size_t host_ = 0;
  std::size_t failures_ = 0;
  int64_t first_answer_ns_ = 0;  // Of a receiver that lives; 0: none.
  bool over_ = false;
  std::function<void()> on_over_;
  std::string last_error_;
};

}  // namespace agent::elasticsearch
