// `match` runs stages over the entries that a selector picks, or drops those entries.
//
//   - match:
//       selector: '{app="api"} |= "error"'
//       stages:
//         - static_labels: { alert: "1" }
//   - match: { selector: '{env="dev"}', action: drop, drop_counter_reason: dev }
//
// Entries that the selector does not pick pass untouched. Inside, extracted values start with the
// entry's labels.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/stage_list.h"
#include "pipeline/stages/selector.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

// Whether a label set fits the selector, asked once for each set.
class Picker {
 public:
  Picker(std::unique_ptr<Selector> selector, LabelSets& sets)
      : selector_(std::move(selector)), sets_(sets), epoch_(sets.epoch()) {}

  bool Picks(const Block& block, EntryIndex entry) {
    if (epoch_ != sets_.epoch()) {
      known_.clear();
      epoch_ = sets_.epoch();
    }
    const LabelSetId labels = block.LabelsOf(entry);
    if (labels >= known_.size()) known_.resize(labels + std::size_t{1}, Known::kNotAsked);
    Known& known = known_[labels];
    if (known == Known::kNotAsked) {
      known = selector_->MatchesLabels(sets_.Get(labels)) ? Known::kFits : Known::kFitsNot;
    }
    return known == Known::kFits &&
           (!selector_->has_line_filters() || selector_->MatchesLine(block.Line(entry)));
  }

 private:
  std::unique_ptr<Selector> selector_;
  LabelSets& sets_;
  uint64_t epoch_;
  enum class Known : uint8_t { kNotAsked, kFits, kFitsNot };
  std::vector<Known> known_;  // By label set.
};

class MatchDropStage final : public Stage {
 public:
  MatchDropStage(Picker picker, DropReason reason) : picker_(std::move(picker)), reason_(reason) {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      if (picker_.Picks(block, entry)) block.Drop(entry, reason_);
    }
  }

 private:
  Picker picker_;
  const DropReason reason_;
};

class MatchStage final : public Stage {
 public:
  MatchStage(Picker picker, std::vector<NamedStage> stages, StageObserver* observer)
      : picker_(std::move(picker)), stages_(std::move(stages)), observer_(observer) {}

  void Prepare(const SlotTable& slots) override {
    for (const NamedStage& named : stages_)
      named.stage->Prepare(slots);
  }

  void Process(Block& block) override {
    picked_.clear();
    for (const EntryIndex entry : block.live()) {
      if (picker_.Picks(block, entry)) picked_.push_back(entry);
    }
    if (picked_.empty()) return;
    block.WithSubset(picked_, [&] {
      block.SeedExtractedFromLabels();
      RunFrom(0, block);
    });
  }

  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    std::optional<int64_t> next;
    for (const NamedStage& named : stages_) {
      const std::optional<int64_t> deadline = named.stage->NextDeadline();
      if (deadline && (!next || *deadline < *next)) next = deadline;
    }
    return next;
  }

  [[nodiscard]] bool full() const override {
    return std::any_of(stages_.begin(), stages_.end(),
                       [](const NamedStage& named) { return named.stage->full(); });
  }
  [[nodiscard]] bool limits_reading() const override {
    return std::any_of(stages_.begin(), stages_.end(),
                       [](const NamedStage& named) { return named.stage->limits_reading(); });
  }

  // What comes out of one stage has to pass only those after it.
  void Flush(FlushReason reason, Block& block) override {
    EmitEach(block, [&](Stage& stage) { stage.Flush(reason, block); });
  }
  void EndOfSource(const SourceProgress& progress, Block& block) override {
    EmitEach(block, [&](Stage& stage) { stage.EndOfSource(progress, block); });
  }
  void Abandon() override {
    for (const NamedStage& named : stages_)
      named.stage->Abandon();
  }

 private:
  void RunFrom(std::size_t first, Block& block) {
    for (std::size_t i = first; i < stages_.size(); ++i) {
      const StageScope scope(observer_, stages_[i].place, block);
      stages_[i].stage->Process(block);
      block.Compact();
    }
  }

  void EmitEach(Block& block, const std::function<void(Stage&)>& emit) {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const std::vector<EntryIndex> before(block.live().begin(), block.live().end());
      {
        const StageScope scope(observer_, stages_[i].place, block);
        emit(*stages_[i].stage);
        block.Compact();
      }
      const auto live = block.live();
      const std::vector<EntryIndex> emitted(
          live.begin() + static_cast<std::ptrdiff_t>(before.size()), live.end());
      if (!emitted.empty()) block.WithSubset(emitted, [&] { RunFrom(i + 1, block); });
    }
  }

  Picker picker_;
  const std::vector<NamedStage> stages_;
  StageObserver* const observer_;  // May be null.
  std::vector<EntryIndex> picked_;
};

std::unique_ptr<Selector> ReadSelector(StageFields& fields) {
  const std::string text = fields.String("selector");
  if (text.empty()) {
    fields.Error("selector", "selector statement required for match stage",
                 "selector: '{app=\"api\"}'");
    return nullptr;
  }
  auto selector = Selector::Parse(text);
  if (!selector) {
    fields.Error("selector",
                 "invalid selector syntax for match stage: " + selector.error().message);
    return nullptr;
  }
  return std::move(*selector);
}

}  // namespace

std::unique_ptr<Stage> MakeMatchStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context);
  std::unique_ptr<Selector> selector = ReadSelector(fields);
  const std::string action = fields.Choice("action", "keep", {"keep", "drop"});
  std::string reason = fields.String("drop_counter_reason", "match_stage");
  if (reason.empty()) reason = "match_stage";
  const ConfigNode* const name = fields.Node("pipeline_name");
  if (name != nullptr && name->is_scalar() && name->text().empty()) {
    fields.Error("pipeline_name",
                 "match stage pipeline name can be omitted but cannot be an empty string");
  }
  const ConfigNode* const list = fields.Node("stages");
  const bool has_stages = list != nullptr && list->is_sequence() && !list->items().empty();
  std::vector<NamedStage> stages;
  if (action == "drop") {
    if (has_stages) {
      fields.Error("stages", "match stage configured to drop entries cannot contains stages",
                   "remove 'stages', or 'action: drop'");
    }
  } else if (!has_stages) {
    fields.Error("stages",
                 "match stage requires at least one additional stage to be defined in '- stages'");
  } else {
    stages = BuildStages(*list, fields.PathOf("stages"), context);
  }
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;

  Picker picker(std::move(selector), context.label_sets);
  if (action == "drop") {
    return std::make_unique<MatchDropStage>(std::move(picker), context.drop_reasons.Intern(reason));
  }
  return std::make_unique<MatchStage>(std::move(picker), std::move(stages), context.observer);
}

}  // namespace agent
