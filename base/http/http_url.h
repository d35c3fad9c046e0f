// The host in a URL.

#pragma once

#include <optional>
#include <string>

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

// Without the password that it may have.
std::string MaskedUrl(const std::string& url);

}  // namespace agent
