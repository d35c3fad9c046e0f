#include "base/net/host_port.h"

#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

namespace agent {

std::string HostPort::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> ParseHostPort(const std::string& text, uint16_t default_port) {
  const auto wrong = [](std::string what) { return Error{ErrorCode::kInvalid, std::move(what)}; };
  if (text.find("://") != std::string::npos || text.find('/') != std::string::npos) {
    return wrong("expected host:port, not a URL");
  }
  HostPort result;
  const std::string_view view = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string::npos) return wrong("a bracket is not closed");
    result.host = text.substr(1, end - 1);
    rest = view.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    // Two colons and no brackets: an address of IPv6.
    const bool has_port =
        colon != std::string::npos && text.find(':', colon + 1) == std::string::npos;
    result.host = has_port ? text.substr(0, colon) : text;
    if (has_port) rest = view.substr(colon);
  }
  if (result.host.empty() || result.host.find_first_of(" \t\r\n@") != std::string::npos) {
    return wrong("there is no host in it");
  }
  result.port = default_port;
  if (rest.empty()) {
    if (default_port == 0) return wrong("a port is needed");
    return result;
  }
  if (rest.front() != ':') return wrong("expected host:port");
  rest.remove_prefix(1);
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), result.port);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == rest.data() + rest.size();
  if (!whole || result.port == 0) return wrong("a port is a number from 1 to 65535");
  return result;
}

}  // namespace agent
