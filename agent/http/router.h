// Which request goes to which endpoint, and who may ask: path prefix, methods, the switch and the
// token of the pages that show data.

#pragma once

#include <string>
#include <string_view>

#include "agent/http/endpoints.h"
#include "agent/http/http_listener.h"
#include "agent/http/request.h"

namespace agent {

// Loop thread.
class Router final : public RequestHandler {
 public:
  // `context` and what it refers to outlive the router.
  explicit Router(EndpointContext& context) : context_(context) {}

  // The endpoint's name for the metrics: "service_discovery"; "other" for what is not there.
  [[nodiscard]] std::string_view RouteName(std::string_view path) const override;

  // Calls `reply` exactly once, mostly before it returns.
  void Dispatch(const ServerRequest& request, const ServerReply& reply) override;

 private:
  // The path without the prefix; empty when it does not have it.
  [[nodiscard]] std::string_view Strip(std::string_view path) const;

  EndpointContext& context_;
};

// Whether an Authorization header carries the bearer token. Takes as long for a wrong token as for
// the right one. A configured token file that is empty or cannot be read refuses everybody.
bool IsAuthorized(const ServerConfig& config, std::string_view authorization);

}  // namespace agent
