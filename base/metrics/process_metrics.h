// The process_* metrics that every Prometheus client library has: what this process takes of the
// machine.

#pragma once

#include "base/metrics/metrics.h"

namespace agent {

// Reads /proc/self now; what cannot be read is left out. Any thread.
void CollectProcessMetrics(MetricSink& sink);

}  // namespace agent
