// `decolorize` takes ANSI escape sequences (colours, cursor movements) out of the line.
//
//   - decolorize: {}

#include <memory>
#include <string_view>

#include "pipeline/stages/ansi.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class DecolorizeStage final : public Stage {
 public:
  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const std::string_view line = block.Line(entry);
      const std::string_view stripped = StripAnsi(line, block.arena());
      if (stripped.data() != line.data()) block.SetLine(entry, stripped);
    }
  }
};

}  // namespace

std::unique_ptr<Stage> MakeDecolorizeStage(const ConfigNode& node, StageContext& context) {
  if (node.is_map()) {
    StageFields fields(node, context);
    fields.Finish();  // There are none; anything given is ignored, with a warning.
  }
  return std::make_unique<DecolorizeStage>();
}

}  // namespace agent
