// The agent's own HTTP server: pages, metrics, readiness, reload.

#pragma once

#include <cstdint>
#include <memory>

#include "agent/config/config.h"
#include "agent/http/state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"

namespace agent {

// Loop thread.
class HttpServer {
 public:
  // All of it outlives the server.
  struct Dependencies {
    Loop& loop;
    Logger& logger;
    Clock& clock;
    AgentView& view;
  };

  // Listens and answers from now on. Fails when the address cannot be used or the TLS files are no
  // good. The certificate is read once.
  static Result<std::unique_ptr<HttpServer>> Open(const ServerConfig& config,
                                                  Dependencies dependencies);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  // Closes all connections; who waits for a reload gets 503.
  ~HttpServer();

  // The port it listens on, also when the configuration says 0.
  [[nodiscard]] uint16_t port() const;

 private:
  struct Parts;

  explicit HttpServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace agent
