#include "outputs/loki/response_policy.h"

#include <string>
#include <string_view>

namespace agent::loki {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The distributor could not hand the request on, because it is larger than gRPC allows: it never
// will.
bool IsPermanent500(const HttpResponse& response) {
  return response.status == 500 && Contains(response.body, "ResourceExhausted") &&
         Contains(response.body, "larger than max");
}

// Loki's own refusals are plain text. A page is of a proxy before it, which knows nothing of the
// data: it wants a client certificate, say.
bool IsPage(const HttpResponse& response) {
  const std::size_t first = response.body.find_first_not_of(" \t\r\n");
  return first != std::string::npos && response.body[first] == '<';
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
      return IsPage(response) ? Verdict::kHold : Verdict::kIsolate;
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

}  // namespace agent::loki
