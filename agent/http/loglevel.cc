// `/loglevel` shows the level of the agent's own log; POST ?level=debug changes it until the next
// start.

#include <string>

#include "agent/http/endpoints.h"

namespace agent {
namespace {

// From the query, or from a form that is the body: level=debug.
std::string WantedLevel(const ServerRequest& request) {
  if (const std::string_view level = request.Query("level"); !level.empty()) {
    return std::string(level);
  }
  constexpr std::string_view kField = "level=";
  std::string_view body = request.body;
  if (!body.starts_with(kField)) return {};
  body.remove_prefix(kField.size());
  return std::string(body.substr(0, body.find_first_of("&\r\n")));
}

}  // namespace

ServerResponse ServeLogLevel(const ServerRequest& request, EndpointContext& context) {
  if (request.method != "POST") {
    return {.body = std::string(LogLevelName(context.logger.level())) + "\n"};
  }
  const std::string wanted = WantedLevel(request);
  LogLevel level = LogLevel::kInfo;
  if (!ParseLogLevel(wanted, level)) {
    return {.status = 400, .body = "expected ?level=debug, info, warn or error\n"};
  }
  const std::string_view before = LogLevelName(context.logger.level());
  context.logger.SetLevel(level);
  context.logger.Warn("http", "log level changed", {{"from", before}, {"to", wanted}});
  return {.body = wanted + "\n"};
}

}  // namespace agent
