// The metrics that a pipeline makes, as they would be scraped.

#pragma once

#include <cstdint>

#include "agent/pipeline_test/test_entry.h"
#include "pipeline/custom_metrics.h"
#include "pipeline/pipeline.h"
#include "pipeline/shared_states.h"

namespace agent {

// Those of the `metrics` stage, logentry_dropped_lines_total, and what stages share.
TestMetrics CollectTestMetrics(const Pipeline& pipeline, const CustomMetrics& custom,
                               const SharedStates& shared, int64_t now_ns);

}  // namespace agent
