#include "pipeline/registry.h"

#include <array>

#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr auto kStages = std::to_array<StageEntry>({
    {"convert", MakeConvertStage},
    {"cri", MakeCriStage},
    {"decolorize", MakeDecolorizeStage},
    {"dedup", MakeDedupStage},
    {"docker", MakeDockerStage},
    {"drop", MakeDropStage},
    {"eventlogmessage", MakeEventLogMessageStage},
    {"geoip", MakeGeoipStage},
    {"grok", MakeGrokStage},
    {"json", MakeJsonStage},
    {"labelallow", MakeLabelallowStage},
    {"labeldrop", MakeLabeldropStage},
    {"labels", MakeLabelsStage},
    {"limit", MakeLimitStage},
    {"logfmt", MakeLogfmtStage},
    {"match", MakeMatchStage},
    {"metrics", MakeMetricsStage},
    {"multiline", MakeMultilineStage},
    {"non_indexed_labels", MakeStructuredMetadataStage},
    {"output", MakeOutputStage},
    {"pack", MakePackStage},
    {"redact", MakeRedactStage},
    {"regex", MakeRegexStage},
    {"remove", MakeRemoveStage},
    {"rename", MakeRenameStage},
    {"replace", MakeReplaceStage},
    {"sampling", MakeSamplingStage},
    {"static_labels", MakeStaticLabelsStage},
    {"structured_metadata", MakeStructuredMetadataStage},
    {"template", MakeTemplateStage},
    {"tenant", MakeTenantStage},
    {"timestamp", MakeTimestampStage},
});

}  // namespace

std::span<const StageEntry> AllStages() {
  return kStages;
}

}  // namespace agent
