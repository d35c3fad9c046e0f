// What every output reads in the same way in an answer over HTTP.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/http/http_client.h"

namespace agent {

// What the Retry-After header asks for, in seconds or as a date; at most 10 minutes.
std::optional<std::chrono::milliseconds> RetryAfter(const HttpResponse& response, int64_t wall_ns);

// "server returned HTTP status 500 Internal Server Error (500): text", or why there was no answer.
std::string Describe(const HttpResponse& response);

}  // namespace agent
