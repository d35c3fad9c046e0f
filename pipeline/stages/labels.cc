// `labels` makes extracted values labels of the entry.
//
//   - labels: { level: , service: app }
//
// A value that is absent, null or not valid UTF-8 leaves the label as it was; an empty text makes
// an empty label.

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/name_map.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class LabelsStage final : public Stage {
 public:
  LabelsStage(std::vector<NamedSource> labels, StageContext& context)
      : labels_(std::move(labels)),
        transition_(context.label_sets, Names(labels_)),
        values_(labels_.size()),
        not_utf8_(context, "not_utf8", "a value is no UTF-8: it does not become a label") {}

  void Process(Block& block) override {
    if (labels_.empty()) return;
    for (const EntryIndex entry : block.live()) {
      for (std::size_t i = 0; i < labels_.size(); ++i) {
        const std::optional<std::string_view> text = block.ExtractedText(entry, labels_[i].source);
        values_[i] = std::string_view();  // Without data: the label stays as it is.
        if (!text) continue;
        if (IsValidUtf8(*text)) {
          values_[i] = text->empty() ? std::string_view("") : *text;
        } else {
          not_utf8_.Report(block, entry);
        }
      }
      block.SetLabels(entry, transition_.Apply(block.LabelsOf(entry), values_));
    }
  }

 private:
  static std::vector<std::string> Names(const std::vector<NamedSource>& labels) {
    std::vector<std::string> names;
    for (const NamedSource& label : labels)
      names.push_back(label.name);
    return names;
  }

  const std::vector<NamedSource> labels_;
  LabelTransition transition_;
  std::vector<std::string_view> values_;
  StageFailure not_utf8_;
};

}  // namespace

std::unique_ptr<Stage> MakeLabelsStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  auto labels = ReadNameMap(node, context);
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<LabelsStage>(std::move(labels), context);
}

}  // namespace agent
