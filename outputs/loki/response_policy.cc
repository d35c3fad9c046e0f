#include "outputs/loki/response_policy.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <curl/curl.h>

#include "base/clock.h"

namespace agent::loki {
namespace {

constexpr std::chrono::milliseconds kMaxRetryAfter = std::chrono::minutes(10);

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The distributor could not hand the request on, because it is larger than gRPC allows: it never
// will.
bool IsPermanent500(const HttpResponse& response) {
  return response.status == 500 && Contains(response.body, "ResourceExhausted") &&
         Contains(response.body, "larger than max");
}

}  // namespace

Verdict Judge(const HttpResponse& response) {
  switch (response.status) {
    case 260:  // "Ingestion blocked": a refusal that looks like a success.
    case 401:
    case 403:
    case 404:
    case 405:
    case 406:
    case 415:
    case 501:
    case 505:
      return Verdict::kHold;
    case 400:
      return Verdict::kIsolate;
    case 413:
      return Verdict::kTooLarge;
    case 422:
      return Verdict::kRefused;
    case 429:
      return Verdict::kRateLimited;
    default:
      break;
  }
  const int hundreds = response.status / 100;
  if (hundreds == 2) return Verdict::kDelivered;
  if (hundreds == 3) return Verdict::kHold;
  if (IsPermanent500(response)) return Verdict::kTooLarge;
  return Verdict::kRetry;
}

bool IsHostFailure(const HttpResponse& response) {
  return Judge(response) == Verdict::kRetry && (response.status == 0 || response.status >= 500);
}

std::optional<std::chrono::milliseconds> RetryAfter(const HttpResponse& response, int64_t wall_ns) {
  const auto header = response.headers.find("retry-after");
  if (header == response.headers.end() || header->second.empty()) return std::nullopt;
  const std::string& text = header->second;
  std::chrono::milliseconds wait{0};
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    wait = std::chrono::seconds(seconds);
  } else if (error == std::errc::result_out_of_range) {
    wait = kMaxRetryAfter;
  } else {
    const time_t date = curl_getdate(text.c_str(), nullptr);
    if (date < 0) return std::nullopt;
    wait = std::chrono::milliseconds(int64_t{date} * 1000 - wall_ns / kNanosPerMilli);
  }
  return std::clamp(wait, std::chrono::milliseconds(0), kMaxRetryAfter);
}

std::string Describe(const HttpResponse& response) {
  if (response.status == 0) return response.error;
  const std::string first_line = response.body.substr(0, response.body.find('\n'));
  return "server returned HTTP status " + response.status_text + " (" +
         std::to_string(response.status) + "): " + first_line;
}

}  // namespace agent::loki
