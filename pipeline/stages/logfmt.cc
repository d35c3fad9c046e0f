// `logfmt` extracts values from key=value pairs.
//
//   - logfmt:
//       mapping: { severity: level, took: }    # Extracted key: key in the text (empty: the same).
//       source: message                        # Absent: the line.
//
// A bare key and `k=` give an empty text; of repeated keys the last one wins. A syntax error ends
// the scan; what was read before it stays. A key that is not in the text leaves the value as it
// was.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/stage_failure.h"
#include "pipeline/stages/logfmt_scanner.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

struct Mapping {
  std::string key;
  Slot slot = 0;
};

class LogfmtStage final : public Stage {
 public:
  LogfmtStage(std::vector<Mapping> mappings, std::optional<Slot> source, StageContext& context)
      : mappings_(std::move(mappings)),
        source_(source),
        malformed_(context, "malformed", "the text is no logfmt from some point on") {}

  void Prepare(const SlotTable& slots) override {
    std::erase_if(mappings_, [&](const Mapping& mapping) { return !slots.IsRead(mapping.slot); });
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      std::optional<std::string_view> text = block.Line(entry);
      if (source_) text = block.ExtractedText(entry, *source_);
      if (text) Scan(block, entry, *text);
    }
  }

 private:
  void Scan(Block& block, EntryIndex entry, std::string_view text) {
    LogfmtScanner scanner(text, block.arena());
    while (const std::optional<LogfmtPair> pair = scanner.Next()) {
      for (const Mapping& mapping : mappings_) {
        if (mapping.key == pair->key) {
          block.SetExtracted(entry, mapping.slot, Value::String(pair->value));
        }
      }
    }
    if (scanner.failed()) malformed_.Report(block, entry);
  }

  std::vector<Mapping> mappings_;
  const std::optional<Slot> source_;
  StageFailure malformed_;
};

}  // namespace

std::unique_ptr<Stage> MakeLogfmtStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  std::vector<Mapping> mappings;
  for (auto& [name, key] : fields.StringMap("mapping", /*null_as_empty=*/true)) {
    const Slot slot = context.slots.Write(name);
    mappings.push_back({key.empty() ? name : key, slot});
  }
  if (mappings.empty()) {
    fields.Error("mapping", "logfmt mapping is required", "mapping: { level: , took: duration }");
  }
  const std::optional<Slot> source = fields.OptionalSource();
  if (!fields.Finish()) return nullptr;
  return std::make_unique<LogfmtStage>(std::move(mappings), source, context);
}

}  // namespace agent
