#include "outputs/http_answer.h"

#include <algorithm>
#include <charconv>

#include <curl/curl.h>

#include "base/clock.h"

namespace agent {
namespace {

constexpr std::chrono::milliseconds kMaxRetryAfter = std::chrono::minutes(10);

}  // namespace

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

}  // namespace agent
