// A Loki lane with everything that it stands on, turned by hand: requests are answered and time
// passes when the test says so.

#pragma once

#include <fcntl.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "outputs/loki/lane.h"
#include "tests/outputs/batch_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/push_decoder.h"
#include "tests/support/temp_dir.h"

namespace agent {

inline HttpResponse Answer(int status, std::string body = "", std::string retry_after = "") {
  HttpResponse response;
  response.status = status;
  response.status_text = std::to_string(status) + " Text";
  response.body = std::move(body);
  if (status == 0) response.error = "connection reset";
  if (!retry_after.empty()) response.headers["retry-after"] = std::move(retry_after);
  return response;
}

class FakeLaneHost final : public loki::LaneHost {
 public:
  bool Admit(loki::Lane& /*lane*/) override { return admits; }
  void ForgetAdmission(loki::Lane& /*lane*/) override {}
  void Post(loki::Lane& /*lane*/, std::string_view body) override {
    posts.emplace_back(body);
    in_flight = true;
  }
  void CancelPost(loki::Lane& /*lane*/) override { in_flight = false; }
  void WakeAfter(loki::Lane& /*lane*/, std::optional<std::chrono::milliseconds> delay) override {
    wake = delay;
  }
  void CountSent(std::size_t entries, std::size_t /*bytes*/) override {
    sent_entries += entries;
    ++accepted_requests;
  }
  [[nodiscard]] uint64_t accepted() const override { return accepted_requests; }
  void OnIdle(loki::Lane& /*lane*/) override {}

  bool admits = true;
  bool in_flight = false;
  std::vector<std::string> posts;
  std::optional<std::chrono::milliseconds> wake;
  std::size_t sent_entries = 0;
  uint64_t accepted_requests = 0;
};

// A lane with everything that it stands on.
struct LaneBench {
  explicit LaneBench(LokiOptions options_in = LokiOptions())
      : options(std::move(options_in)),
        maker(options),
        null(::open("/dev/null", O_WRONLY)),
        logger(null.get(), LogLevel::kError, LogFormat::kLogfmt),
        dead_letter({.path = folder.path() + "/dead", .max_size_bytes = 1 << 20}, clock, logger),
        lane({.options = options,
              .host = host,
              .counters = maker.counters->ForTenant(""),
              .clock = clock,
              .logger = logger,
              .dead_letter = dead_letter,
              .snappy = snappy},
             "", Random(1)) {}

  void Respond(const HttpResponse& response) {
    REQUIRE(host.in_flight);
    host.in_flight = false;
    lane.OnResponse(response);
  }
  // Lets the time pass that the lane waits.
  std::chrono::milliseconds Wake() {
    REQUIRE(host.wake.has_value());
    const std::chrono::milliseconds waited = *host.wake;
    clock.Advance(waited.count() * kNanosPerMilli);
    lane.OnWake();
    return waited;
  }
  // Answers each request by what is in it until the lane is idle; returns the number of requests.
  template <typename Policy>
  std::size_t Run(Policy policy) {
    const std::size_t before = host.posts.size();
    for (int turns = 0; turns < 20'000 && !lane.idle(); ++turns) {
      if (host.in_flight) {
        Respond(policy(*DecodePush(host.posts.back())));
      } else {
        Wake();
      }
    }
    CHECK(lane.idle());
    return host.posts.size() - before + 1;
  }
  std::string DeadLetterText() const {
    std::string all;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(folder.path() + "/dead", error)) {
      std::stringstream text;
      text << std::ifstream(file.path()).rdbuf();
      all += text.str();
    }
    return all;
  }
  uint64_t Dropped(LossReason reason) {
    return maker.counters->ForTenant("").dropped[static_cast<std::size_t>(reason)].entries;
  }

  TempDir folder;
  LokiOptions options;
  BatchMaker maker;
  FakeClock clock;
  UniqueFd null;
  Logger logger;
  DeadLetter dead_letter;
  SnappyEncoder snappy;
  FakeLaneHost host;
  loki::Lane lane;
};

inline const Labels kLabels{{"app", "web"}};

inline bool Has(const std::vector<PushedEntry>& entries, std::string_view line) {
  for (const PushedEntry& entry : entries)
    if (entry.line == line) return true;
  return false;
}

}  // namespace agent
