// An HTTP server of the agent, without what it answers: libmicrohttpd's epoll descriptor inside the
// loop, no thread of its own. An idle one costs nothing; an open connection costs its memory.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "agent/config/config.h"
#include "agent/http/http_metrics.h"
#include "agent/http/request.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"

namespace agent {

// Answers requests. Loop thread.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // The endpoint's name for the metrics; lives as long as the handler.
  [[nodiscard]] virtual std::string_view RouteName(std::string_view path) const = 0;
  // Asked when the head of a request is there and its body is not: an answer refuses it, and the
  // body is not kept.
  virtual std::optional<ServerResponse> Refuse(const ServerRequest& /*head*/) {
    return std::nullopt;
  }
  // Calls `reply` exactly once, mostly before it returns.
  virtual void Dispatch(const ServerRequest& request, const ServerReply& reply) = 0;
  // The request is over, also one that the listener has refused; 0: the client left before there
  // was an answer.
  virtual void OnAnswered(const ServerRequest& /*request*/, unsigned /*status*/) {}
};

// What is larger is answered with 413; what would make the bodies of all requests together larger,
// with 503 and Retry-After, except when it is alone. What is refused is read up to
// `max_discarded_bytes`, so that the answer arrives.
struct BodyLimits {
  uint64_t max_body_bytes = 0;
  uint64_t max_bodies_bytes = 0;
  uint64_t max_discarded_bytes = 0;
};

// Loop thread.
class HttpListener {
 public:
  // All of it outlives the listener.
  struct Dependencies {
    Loop& loop;
    Logger& logger;
    Clock& clock;
    HttpMetrics& metrics;
    RequestHandler& handler;
  };

  // Listens and answers from now on. Fails when the address cannot be used or the TLS files are no
  // good. The certificate is read once.
  static Result<std::unique_ptr<HttpListener>> Open(const ServerConfig& config, BodyLimits limits,
                                                    Dependencies dependencies);
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;
  // Closes all connections; who waits for an answer gets 503.
  ~HttpListener();

  // The port it listens on, also when the configuration says 0.
  [[nodiscard]] uint16_t port() const;

 private:
  class Connections;

  explicit HttpListener(std::unique_ptr<Connections> connections);

  const std::unique_ptr<Connections> connections_;
};

}  // namespace agent
