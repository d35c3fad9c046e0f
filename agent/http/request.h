// A request and its answer, without the server library.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

struct ServerRequest {
  std::string method{};
  std::string path{};  // Decoded, with the path prefix.
  std::map<std::string, std::string, std::less<>> query{};
  // Headers; empty when absent.
  std::string accept{};
  std::string authorization{};
  std::string content_type{};
  std::string content_encoding{};
  std::string tenant{};  // X-Scope-OrgID.
  std::string body{};

  // Empty when absent.
  [[nodiscard]] std::string_view Query(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string_view() : found->second;
  }
};

struct ServerResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};  // Beside Content-Type.
};

// Called exactly once, on the loop thread.
using ServerReply = std::function<void(ServerResponse)>;

}  // namespace agent
