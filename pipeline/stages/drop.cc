// `drop` drops entries for which all given conditions hold.
//
//   - drop: { source: level, value: debug }
//   - drop: { expression: '^# ', longer_than: 8KiB, drop_counter_reason: comment }
//   - drop: { source: [app, level], separator: /, expression: '^web/(debug|trace)$', older_than:
//   24h }
//
// `source` alone asks whether the keys are there; null counts. With `expression` or `value` it is
// the texts of those that are there, joined: a key that is absent is left out, so that a single
// absent key is the empty text.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/go_format.h"
#include "pipeline/regex/regex.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

struct DropOptions {
  bool has_source = false;
  std::vector<Slot> sources;
  std::string separator;
  std::unique_ptr<Regex> expression;  // Null: none.
  std::optional<std::string> value;
  std::optional<std::chrono::nanoseconds> older_than;
  std::optional<uint64_t> longer_than;
  DropReason reason = 0;
};

class DropStage final : public Stage {
 public:
  DropStage(DropOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {
    if (options_.expression) options_.expression->Capture({});
  }

  void Process(Block& block) override {
    const int64_t oldest =
        options_.older_than ? clock_.WallNanos() - options_.older_than->count() : 0;
    for (const EntryIndex entry : block.live()) {
      if (ShouldDrop(block, entry, oldest)) block.Drop(entry, options_.reason);
    }
  }

 private:
  bool ShouldDrop(Block& block, EntryIndex entry, int64_t oldest) {
    if (options_.longer_than && block.Line(entry).size() <= *options_.longer_than) return false;
    if (options_.older_than && block.Timestamp(entry) >= oldest) return false;
    const bool tests_text = options_.expression != nullptr || options_.value.has_value();
    if (!options_.has_source) return !tests_text || TextFits(block.Line(entry));
    if (!tests_text) return HasAllSources(block, entry);
    const std::optional<std::string_view> joined = Join(block, entry);
    return joined && TextFits(*joined);
  }

  bool TextFits(std::string_view text) {
    return options_.value ? text == *options_.value : options_.expression->Matches(text);
  }

  bool HasAllSources(const Block& block, EntryIndex entry) const {
    return std::all_of(options_.sources.begin(), options_.sources.end(),
                       [&](Slot slot) { return block.Extracted(entry, slot).present(); });
  }

  // The texts of the sources that are there; nullopt when one of them is null. Valid until the next
  // call.
  std::optional<std::string_view> Join(Block& block, EntryIndex entry) {
    if (options_.sources.size() == 1) {
      const Value& only = block.Extracted(entry, options_.sources[0]);
      return only.present() ? block.Text(only) : std::string_view{};
    }
    joined_.clear();
    bool first = true;
    for (const Slot slot : options_.sources) {
      const Value& value = block.Extracted(entry, slot);
      if (!value.present()) continue;
      const std::optional<std::string_view> text = block.Text(value);
      if (!text) return std::nullopt;
      if (!first) joined_ += options_.separator;
      joined_ += *text;
      first = false;
    }
    return joined_;
  }

  const DropOptions options_;
  Clock& clock_;
  std::string joined_;
};

bool Given(StageFields& fields, std::string_view key) {
  const ConfigNode* const node = fields.Node(key);
  return node != nullptr && !node->is_null();
}

// May be negative: then the time that is spoken of is still to come.
std::optional<std::chrono::nanoseconds> ReadOlderThan(StageFields& fields) {
  if (!Given(fields, "older_than")) return std::nullopt;
  const Result<std::chrono::nanoseconds> duration = ParseGoDuration(fields.String("older_than"));
  if (duration.ok()) return *duration;
  fields.Error("older_than", duration.error().message, "write it as in '30m' or '24h'");
  return std::nullopt;
}

// Weak typing ends here: a number is no name of a key.
void ReadSources(StageFields& fields, StageContext& context, DropOptions& options) {
  options.has_source = Given(fields, "source");
  if (!options.has_source) return;
  const ConfigNode& node = *fields.Node("source");
  const auto is_other = [](const ConfigNode& item) { return item.IsNumber() || item.IsBool(); };
  if (node.is_scalar()
          ? is_other(node)
          : node.is_sequence() && std::any_of(node.items().begin(), node.items().end(), is_other)) {
    fields.Error("source", "expected a string or a list of strings", "put names in quotes");
  }
  for (const std::string& name : fields.StringList("source")) {
    options.sources.push_back(context.slots.Read(name));
  }
}

void ReadConditions(StageFields& fields, StageContext& context, DropOptions& options) {
  ReadSources(fields, context, options);
  options.separator = fields.String("separator", ";");
  options.expression = ReadRegex(fields, "expression");
  if (Given(fields, "value")) options.value = fields.String("value");
  options.older_than = ReadOlderThan(fields);
  if (Given(fields, "longer_than")) options.longer_than = fields.Size("longer_than", 0);
}

}  // namespace

std::unique_ptr<Stage> MakeDropStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  DropOptions options;
  ReadConditions(fields, context, options);
  std::string reason = fields.String("drop_counter_reason");
  if (reason.empty()) reason = "drop_stage";
  options.reason = context.drop_reasons.Intern(reason);
  const bool has_expression = Given(fields, "expression");
  if (!options.has_source && !has_expression && !options.older_than && !options.longer_than) {
    if (options.value) {
      fields.Error("value", "'value' needs 'source'", "for the line use 'expression'");
    } else {
      fields.MapError("nothing says what to drop",
                      "give 'source', 'expression', 'older_than' or 'longer_than'");
    }
  } else if (options.value && !options.has_source) {
    fields.Error("value", "'value' needs 'source'", "for the line use 'expression'");
  } else if (options.value && has_expression) {
    fields.Error("value", "'value' and 'expression' exclude one another", "use two drop stages");
  }
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;
  return std::make_unique<DropStage>(std::move(options), context.clock);
}

}  // namespace agent
