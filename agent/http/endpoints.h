// One function for each endpoint, and what they work with. Each stands in a file of its own name.

#pragma once

#include <string>

#include "agent/config/config.h"
#include "agent/http/http_metrics.h"
#include "agent/http/request.h"
#include "agent/http/state.h"
#include "base/log.h"

namespace agent {

struct EndpointContext {
  AgentView& view;
  Logger& logger;
  const ServerConfig& config;
  HttpMetrics& metrics;
};

ServerResponse ServeRoot(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeReady(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeMetrics(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeTargets(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeOutputs(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeServiceDiscovery(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeConfig(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeLedger(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeLogLevel(const ServerRequest& request, EndpointContext& context);
ServerResponse ServeStylesheet(const ServerRequest& request, EndpointContext& context);
// Answers when the reload is over.
void ServeReload(const ServerRequest& request, EndpointContext& context, ServerReply reply);

}  // namespace agent
