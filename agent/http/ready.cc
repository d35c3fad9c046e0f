// `/ready` is 200 once something is being read, as a readiness probe wants it; 503 with the reason
// before.

#include "agent/http/endpoints.h"

namespace agent {

ServerResponse ServeReady(const ServerRequest& /*request*/, EndpointContext& context) {
  if (!context.config.health_check_target) return {.body = "Ready\n"};
  const Readiness readiness = context.view.Ready();
  if (readiness.ready) return {.body = "Ready\n"};
  return {.status = 503, .body = "Not ready: " + readiness.reason + "\n"};
}

}  // namespace agent
