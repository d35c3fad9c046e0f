// `output` makes an extracted value the line that is shipped.
//
//   - output: { source: message }
//
// An entry without that value, or with null, keeps its line; an empty text makes the line empty.

#include <memory>
#include <optional>
#include <string_view>

#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class OutputStage final : public Stage {
 public:
  explicit OutputStage(Slot source) : source_(source) {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> text = block.ExtractedText(entry, source_);
      if (text) block.SetLine(entry, *text);
    }
  }

 private:
  const Slot source_;
};

}  // namespace

std::unique_ptr<Stage> MakeOutputStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  const Slot source = fields.RequiredSource();
  if (!fields.Finish()) return nullptr;
  return std::make_unique<OutputStage>(source);
}

}  // namespace agent
