#include "agent/stage_check.h"

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/pipeline.h"

namespace agent {

void CheckStages(const ConfigNode& stages, const std::string& path, const std::string& job,
                 Problems& problems) {
  LabelSets sets;
  SystemClock clock;
  Logger silent(-1, LogLevel::kError, LogFormat::kLogfmt);
  CustomMetrics metrics;
  const auto pipeline =
      Pipeline::Build(stages, path, job, problems, {sets, clock, silent, metrics});
}

}  // namespace agent
