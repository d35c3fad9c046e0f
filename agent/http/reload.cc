// `/reload` reads the configuration again; 500 with the reason when it is refused, and the old one
// keeps running.

#include <utility>

#include "agent/http/endpoints.h"

namespace agent {

void ServeReload(const ServerRequest& /*request*/, EndpointContext& context, ServerReply reply) {
  context.view.Reload([reply = std::move(reply)](const Status& status) {
    if (status.ok()) return reply({});
    reply({.status = 500, .body = "failed to reload config: " + status.error().message + "\n"});
  });
}

}  // namespace agent
