// What Promtail does to a container's log before the job's stages see it, for logs that are read
// from Docker's json-file: see docker_source.cc.

#pragma once

#include <memory>

#include "pipeline/stage.h"

namespace agent {

// Works on blocks that have streams() alone.
std::unique_ptr<Stage> MakeDockerSourceStage(StageContext& context);

}  // namespace agent
