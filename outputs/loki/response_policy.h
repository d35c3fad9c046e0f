// What an answer of Loki, or the lack of one, means for the batch.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/http/http_client.h"

namespace agent::loki {

enum class Verdict : uint8_t {
  kDelivered,
  kIsolate,      // Something in it is refused: find out what, and deliver the rest.
  kTooLarge,     // Send it in halves.
  kRefused,      // For good.
  kRateLimited,  // Later, slower.
  kRetry,        // Later.
  kHold,  // Not the data's fault, and nobody can say when it will work: later, rarely, with an
          // alarm.
};

Verdict Judge(const HttpResponse& response);

// The receiver itself is in trouble, whatever the batch.
bool IsHostFailure(const HttpResponse& response);

// What the Retry-After header asks for, in seconds or as a date; at most 10 minutes.
std::optional<std::chrono::milliseconds> RetryAfter(const HttpResponse& response, int64_t wall_ns);

// "server returned HTTP status 500 Internal Server Error (500): text", or why there was no answer.
std::string Describe(const HttpResponse& response);

}  // namespace agent::loki
