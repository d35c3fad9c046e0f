// `/` leads to the targets.

#include "agent/http/endpoints.h"

namespace agent {

ServerResponse ServeRoot(const ServerRequest& /*request*/, EndpointContext& context) {
  // Behind a proxy only external_url knows what the browser calls us.
  const ServerConfig& config = context.config;
  std::string base = config.external_url.empty() ? config.http_path_prefix : config.external_url;
  while (base.ends_with('/'))
    base.pop_back();
  return {.status = 303, .headers = {{"Location", base + "/targets"}}};
}

}  // namespace agent
