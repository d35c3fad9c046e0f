// The factories of all stages; the table that names them is pipeline/registry.cc.

#pragma once

#include <memory>

#include "pipeline/stage.h"

namespace agent {

std::unique_ptr<Stage> MakeConvertStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeCriStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeDecolorizeStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeDedupStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeDockerStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeDropStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeEventLogMessageStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeGeoipStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeGrokStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeJsonStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeLabelallowStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeLabeldropStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeLabelsStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeLimitStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeLogfmtStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeMatchStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeMetricsStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeMultilineStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeOutputStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakePackStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeRedactStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeRegexStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeRemoveStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeRenameStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeReplaceStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeSamplingStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeStaticLabelsStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeStructuredMetadataStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeTemplateStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeTenantStage(const ConfigNode& node, StageContext& context);
std::unique_ptr<Stage> MakeTimestampStage(const ConfigNode& node, StageContext& context);

}  // namespace agent
