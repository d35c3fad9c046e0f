// What a Loki output is told: the keys of Promtail's `clients`, what `limits_config` adds for them,
// and ours.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/http/http_options.h"
#include "base/labels.h"

namespace agent {

struct LokiOptions {
  std::string name;
  std::string url;        // The full push path, used as written.
  std::string tenant_id;  // Empty: no X-Scope-OrgID, unless the entry names one.
  std::chrono::milliseconds batchwait{1'000};
  std::size_t batchsize_bytes = 1'048'576;  // Lines and metadata, uncompressed.

  std::chrono::milliseconds min_backoff{500};
  std::chrono::milliseconds max_backoff{300'000};
  // Attempts in all; unset or 0: for ever. Set only where the configuration says so itself.
  std::optional<int> max_retries;
  bool drop_rate_limited_batches = false;

  Labels external_labels;  // Under the entry's own, which win.
  HttpOptions http;

  std::size_t max_line_size_bytes = 0;  // 0: no limit.
  bool max_line_size_truncate = false;
  std::size_t max_streams = 0;              // In one batch; 0: no limit.
  std::size_t max_streams_per_request = 0;  // 1: each answer is exact; 0: no limit.

  std::string user_agent = "log-agent/0.1.0";
};

}  // namespace agent
