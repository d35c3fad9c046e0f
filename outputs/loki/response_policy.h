// What an answer of Loki, or the lack of one, means for the batch.

#pragma once

#include <cstdint>

#include "base/http/http_client.h"
#include "outputs/http_answer.h"

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

}  // namespace agent::loki
