#include "base/http/http_url.h"

#include <memory>

#include <curl/curl.h>

namespace agent {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

Url Parse(const std::string& text) {
  Url url(curl_url());
  if (url != nullptr && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    url.reset();
  }
  return url;
}

// Empty when the part is not there.
std::string Part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string part = text;
  curl_free(text);
  return part;
}

}  // namespace

std::optional<UrlHost> HostOf(const std::string& url) {
  const Url parsed = Parse(url);
  if (parsed == nullptr) return std::nullopt;
  const std::string scheme = Part(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return std::nullopt;
  UrlHost host;
  host.secure = scheme == "https";
  host.name = Part(parsed.get(), CURLUPART_HOST);
  host.port = Part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const std::string written_port = Part(parsed.get(), CURLUPART_PORT);
  host.as_written = written_port.empty() ? host.name : host.name + ":" + written_port;
  if (host.name.empty()) return std::nullopt;
  return host;
}

std::string WithHost(const std::string& url, const std::string& host) {
  const Url parsed = Parse(url);
  if (parsed == nullptr ||
      curl_url_set(parsed.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) {
    return url;
  }
  return Part(parsed.get(), CURLUPART_URL);
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

std::string MaskedUrl(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t begin = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.rfind('@', end);
  const std::size_t colon = url.find(':', begin);
  if (at == std::string::npos || at < begin || colon >= at) return url;
  return url.substr(0, colon + 1) + "<secret>" + url.substr(at);
}

}  // namespace agent
