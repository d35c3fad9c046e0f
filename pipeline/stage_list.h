// Builds the stages of a list in the configuration: of a job, or nested in a stage.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/stage.h"
#include "pipeline/stage_observer.h"

namespace agent {

struct NamedStage {
  StagePlace place;
  std::unique_ptr<Stage> stage;
};

// Each item of `stages` is a map with one key, the stage's name. Problems are reported to
// `context.problems`, all of them in one run; the stages that could not be built are left out.
// `path` is the list's own: "scrape_configs[0].pipeline_stages".
std::vector<NamedStage> BuildStages(const ConfigNode& stages, const std::string& path,
                                    const StageContext& context);

}  // namespace agent
