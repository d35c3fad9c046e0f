// `convert` gives extracted values another type, by the rules of Logstash's mutate filter.
//
//   - convert: { status: int, took: float, ok: bool, id: string }
//
// A value that does not fit (`int` of "n/a") stays as it is, and is counted. What is absent or null
// stays so.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/config/spelling.h"
#include "pipeline/convert_value.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/field_map.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

struct ConvertRule {
  Slot slot = 0;
  Conversion to = Conversion::kString;
};

class ConvertStage final : public Stage {
 public:
  ConvertStage(std::vector<ConvertRule> rules, StageContext& context)
      : rules_(std::move(rules)),
        not_converted_(context, "type", "a value does not fit its type") {}

  void Process(Block& block) override {
    for (const ConvertRule& rule : rules_) {
      for (const EntryIndex entry : block.live()) {
        const Value& value = block.Extracted(entry, rule.slot);
        if (!value.usable()) continue;
        if (const auto converted = ConvertValue(value, rule.to, block)) {
          block.SetExtracted(entry, rule.slot, *converted);
        } else {
          not_converted_.Report(block, entry);
        }
      }
    }
  }

 private:
  const std::vector<ConvertRule> rules_;
  StageFailure not_converted_;
};

std::optional<Conversion> ReadConversion(const FieldEntry& entry, StageContext& context) {
  const ConfigNode& node = *entry.value;
  const std::optional<Conversion> conversion = ConversionNamed(node.text());
  if (conversion) return conversion;
  const std::string near = NearestSpelling(node.text(), ConversionNames());
  const std::string got = node.is_scalar() ? "'" + node.text() + "'" : std::string(node.KindName());
  context.problems.Error(node.place(), context.path + "." + entry.name,
                         "expected int, long, float, double, bool, boolean or string, got " + got,
                         near.empty() ? "" : "did you mean '" + near + "'?");
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Stage> MakeConvertStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  std::vector<ConvertRule> rules;
  for (const FieldEntry& entry : ReadFieldMap(node, "convert: { status: int }", context)) {
    const std::optional<Conversion> to = ReadConversion(entry, context);
    if (to) rules.push_back({context.slots.Read(entry.name), *to});
  }
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<ConvertStage>(std::move(rules), context);
}

}  // namespace agent
