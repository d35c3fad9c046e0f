// URLs: the host in them, and what stands for it.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agent {

struct UrlHost {
  std::string name;        // An IPv6 address with its brackets.
  std::string port;        // The scheme's own where the URL names none.
  std::string as_written;  // `host` or `host:port`, as the URL has it.
  bool secure = false;     // https.
};

// Nothing for what is not an http or https URL.
std::optional<UrlHost> HostOf(const std::string& url);

// The same URL with another host.
std::string WithHost(const std::string& url, const std::string& host);

// For a part of a path, or a value in a query.
std::string PercentEncoded(std::string_view text);

// Without the password that it may have.
std::string MaskedUrl(const std::string& url);

}  // namespace agent
