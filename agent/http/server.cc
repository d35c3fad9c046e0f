#include "agent/http/server.h"

#include <utility>

#include "agent/http/endpoints.h"
#include "agent/http/http_listener.h"
#include "agent/http/http_metrics.h"
#include "agent/http/router.h"

namespace agent {
namespace {

// No endpoint takes more than a small form.
constexpr BodyLimits kSmallForms = {.max_body_bytes = 4096,
                                    .max_bodies_bytes = uint64_t{1} << 20U,
                                    .max_discarded_bytes = uint64_t{1} << 20U};

}  // namespace

struct HttpServer::Parts {
  Parts(const ServerConfig& server, const Dependencies& dependencies)
      : config(server),
        context{.view = dependencies.view,
                .logger = dependencies.logger,
                .config = config,
                .metrics = metrics},
        router(context) {}

  const ServerConfig config;
  HttpMetrics metrics;
  EndpointContext context;
  Router router;
  std::unique_ptr<HttpListener> listener;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Open(const ServerConfig& config,
                                                     Dependencies dependencies) {
  auto parts = std::make_unique<Parts>(config, dependencies);
  auto opened = HttpListener::Open(config, kSmallForms,
                                   {.loop = dependencies.loop,
                                    .logger = dependencies.logger,
                                    .clock = dependencies.clock,
                                    .metrics = parts->metrics,
                                    .handler = parts->router});
  if (!opened.ok()) return std::move(opened).error();
  parts->listener = std::move(*opened);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(parts)));
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const {
  return parts_->listener->port();
}

}  // namespace agent
