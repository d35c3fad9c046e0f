// `/metrics`: a scrape of everything.

#include "agent/http/endpoints.h"
#include "base/metrics/exposition.h"
#include "base/metrics/process_metrics.h"

namespace agent {

ServerResponse ServeMetrics(const ServerRequest& /*request*/, EndpointContext& context) {
  Exposition page;
  context.view.CollectMetrics(page);
  context.metrics.Collect(page);
  CollectProcessMetrics(page);
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    page.Add("loki_internal_log_messages_total", {LogLevelName(level)},
             static_cast<double>(context.logger.records(level)));
  }
  return {.content_type = std::string(kMetricsContentType), .body = page.Text()};
}

}  // namespace agent
