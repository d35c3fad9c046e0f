// `regex` stores what the named groups of an expression match.
//
//   - regex: { expression: '^(?P<verb>GET|POST) (?P<path>/\S*)' }
//   - regex: { expression: '^(?P<family>[45])', source: status }
//
// The first match in the line, or in an extracted value. A group that took no part stores the empty
// text. Without a match nothing changes.

#include "pipeline/regex/regex.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class RegexStage final : public Stage {
 public:
  struct Target {
    std::size_t group = 0;
    Slot slot = 0;
  };

  RegexStage(std::unique_ptr<Regex> regex, std::optional<Slot> source, std::vector<Target> targets)
      : regex_(std::move(regex)), source_(source), targets_(std::move(targets)) {}

  void Prepare(const SlotTable& slots) override {
    std::erase_if(targets_, [&slots](const Target& target) { return !slots.IsRead(target.slot); });
    std::vector<std::size_t> groups;
    for (const Target& target : targets_)
      groups.push_back(target.group);
    regex_->Capture(std::move(groups));
    found_.assign(targets_.size(), {});
  }

  void Process(Block& block) override {
    if (targets_.empty()) return;
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> text =
          source_ ? block.ExtractedText(entry, *source_) : block.Line(entry);
      if (!text || !regex_->Search(*text, found_)) continue;
      for (std::size_t i = 0; i < targets_.size(); ++i) {
        const TextSpan& span = found_[i];
        // Also what is empty lies in the block.
        block.SetExtracted(entry, targets_[i].slot,
                           Value::String(span.matched() ? span.In(*text) : text->substr(0, 0)));
      }
    }
  }

 private:
  const std::unique_ptr<Regex> regex_;
  const std::optional<Slot> source_;
  std::vector<Target> targets_;
  std::vector<TextSpan> found_;
};

// Of several groups with one name the last one counts, also when it takes no part.
std::vector<RegexStage::Target> NamedGroups(const Regex& regex, SlotTable& slots) {
  std::vector<RegexStage::Target> targets;
  const std::vector<std::string>& names = regex.group_names();
  for (std::size_t group = 1; group < names.size(); ++group) {
    if (names[group].empty()) continue;
    const Slot slot = slots.Write(names[group]);
    const auto known =
        std::find_if(targets.begin(), targets.end(),
                     [slot](const RegexStage::Target& target) { return target.slot == slot; });
    if (known != targets.end()) {
      known->group = group;
    } else {
      targets.push_back({.group = group, .slot = slot});
    }
  }
  return targets;
}

}  // namespace

std::unique_ptr<Stage> MakeRegexStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context);
  std::unique_ptr<Regex> regex = ReadRequiredRegex(fields, "expression");
  const std::optional<Slot> source = fields.OptionalSource();
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;
  std::vector<RegexStage::Target> targets = NamedGroups(*regex, context.slots);
  return std::make_unique<RegexStage>(std::move(regex), source, std::move(targets));
}

}  // namespace agent
