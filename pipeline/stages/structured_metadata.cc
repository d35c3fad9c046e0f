// `structured_metadata` attaches values to the entry that do not make a stream: trace ids and the
// like.
//
//   - structured_metadata: { trace_id: , span: span_id }
//
// Taken from what was extracted, or else from a label of that name. A label that was used, and has
// the same value, is removed: it moves. Values that are not UTF-8 are left out.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/label_cache.h"
#include "pipeline/stages/name_map.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class StructuredMetadataStage final : public Stage {
 public:
  StructuredMetadataStage(std::vector<NamedSource> pairs, StageContext& context)
      : pairs_(std::move(pairs)),
        not_utf8_(context, "not_utf8", "a value is no UTF-8: it is left out") {
    for (const NamedSource& pair : pairs_) {
      without_.emplace_back(context.label_sets,
                            [name = pair.source_name](LabelSets& all, LabelSetId from) {
                              return all.Without(from, name);
                            });
      names_.push_back(texts_.Copy(pair.name));
      repeats_.push_back(std::count_if(pairs_.data(), &pair, [&](const NamedSource& earlier) {
                           return earlier.source_name == pair.source_name;
                         }) > 0);
    }
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      // All values are looked up before any label goes.
      const LabelSetId before = block.LabelsOf(entry);
      LabelSetId after = before;
      for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const NamedSource& pair = pairs_[i];
        const Labels& labels = block.label_sets().Get(before);
        std::optional<std::string_view> value = block.ExtractedText(entry, pair.source);
        if (value && !IsValidUtf8(*value)) {
          not_utf8_.Report(block, entry);
          value = std::nullopt;
        }
        const std::string* label = labels.Find(pair.source_name);
        if (!value && label != nullptr && !repeats_[i]) value = block.arena().Copy(*label);
        if (!value) continue;
        block.AddMetadata(entry, names_[i], *value);
        if (label != nullptr && *label == *value) {
          after = without_[i].Apply(after);
        }
      }
      if (after != before) block.SetLabels(entry, after);
    }
  }

 private:
  const std::vector<NamedSource> pairs_;
  std::vector<std::string_view> names_;  // Padded as every text of a block.
  // Whether an earlier pair has the same source: what is only a label goes to the first alone.
  std::vector<bool> repeats_;
  std::vector<LabelCache> without_;  // For each pair: the label set without its source.
  Arena texts_;
  StageFailure not_utf8_;
};

}  // namespace

std::unique_ptr<Stage> MakeStructuredMetadataStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  auto pairs = ReadNameMap(node, context);
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<StructuredMetadataStage>(std::move(pairs), context);
}

}  // namespace agent
