// One stage and a block of entries for it: what a test of a stage needs.

#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "pipeline/block.h"
#include "pipeline/geo/geo_databases.h"
#include "pipeline/stage.h"
#include "tests/support/fake_clock.h"

// For the tests. Comes last: it has a CHECK of its own, which takes the place of ours.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {

class StageFixture {
 public:
  // `yaml` is the stage's body. `read`: names that later stages would read.
  StageFixture(StageFactory make, const std::string& yaml,
               std::initializer_list<std::string_view> read = {})
      : problems_("test.yaml", yaml),
        node_(LoadYaml(yaml, problems_)),
        context_{.problems = problems_,
                 .slots = slots_,
                 .drop_reasons = reasons_,
                 .label_sets = label_sets_,
                 .clock = clock,
                 .logger = logger_,
                 .metrics = metrics,
                 .random = random_,
                 .geo_databases = geo_databases_,
                 .shared = shared,
                 .held_memory = held_memory,
                 .counters = counters,
                 .job = "job",
                 .path = "stages[0].stage"},
        stage_(make(node_, context_)) {
    for (const std::string_view name : read)
      slots_.Read(name);
    if (stage_) stage_->Prepare(slots_);
    Reset({});
  }

  [[nodiscard]] bool built() const { return stage_ != nullptr; }
  // Every problem's message and hint, one a line.
  [[nodiscard]] std::string problems() const {
    std::string all;
    for (const Problem& problem : problems_.all()) {
      all += problem.path + ": " + problem.message + "; " + problem.hint + "\n";
    }
    return all;
  }
  [[nodiscard]] const Problems& all_problems() const { return problems_; }

  // Begins a new block.
  void Reset(const Labels& labels) {
    block_ = std::make_unique<Block>(slots_, label_sets_);
    block_->Reset(label_sets_.Intern(labels), nullptr);
    texts_.clear();
  }
  using Field = std::pair<std::string_view, Value>;
  EntryIndex Add(std::string_view line, std::initializer_list<Field> extracted = {}) {
    const EntryIndex entry = block_->Add(Keep(line), clock.WallNanos(), 0, 1);
    fields_.emplace_back(entry, std::vector<Field>(extracted));
    return entry;
  }
  void Run() {
    // All entries first: a column is made for all of them at once.
    for (const auto& [entry, fields] : fields_) {
      for (const auto& [name, value] : fields) {
        const std::optional<Slot> slot = slots_.Find(name);
        if (slot) block_->SetExtracted(entry, *slot, value);
      }
    }
    fields_.clear();
    stage_->Process(*block_);
    block_->Compact();
  }

  [[nodiscard]] Stage& stage() { return *stage_; }
  [[nodiscard]] Block& block() { return *block_; }
  [[nodiscard]] std::string Line(EntryIndex entry) const {
    return std::string(block_->Line(entry));
  }
  // "-" when absent, "null" when null.
  [[nodiscard]] std::string Extracted(EntryIndex entry, std::string_view name) {
    const std::optional<Slot> slot = slots_.Find(name);
    if (!slot || !block_->Extracted(entry, *slot).present()) return "-";
    return std::string(block_->ExtractedText(entry, *slot).value_or("null"));
  }
  [[nodiscard]] const Value& ValueOf(EntryIndex entry, std::string_view name) const {
    return block_->Extracted(entry, *slots_.Find(name));
  }
  [[nodiscard]] std::size_t alive() const { return block_->live().size(); }
  [[nodiscard]] uint64_t Dropped(std::string_view reason) {
    const DropReason number = reasons_.Intern(reason);
    return number < block_->drops().size() ? block_->drops()[number].lines : 0;
  }
  [[nodiscard]] LabelSets& label_sets() { return label_sets_; }
  [[nodiscard]] const SlotTable& slots() const { return slots_; }

  FakeClock clock;
  CustomMetrics metrics;
  SharedStates shared;
  MemoryBudget held_memory{std::size_t{12} << 20};
  StageCounters counters;

 private:
  std::string_view Keep(std::string_view text) {
    auto copy = std::make_unique<std::string>(text);
    copy->append(kTextPadding, '\0');
    texts_.push_back(std::move(copy));
    return std::string_view(*texts_.back()).substr(0, text.size());
  }

  Problems problems_;
  const ConfigNode node_;
  SlotTable slots_;
  DropReasons reasons_;
  LabelSets label_sets_;
  Logger logger_{-1, LogLevel::kError, LogFormat::kLogfmt};
  Random random_{1};
  GeoDatabases geo_databases_;
  StageContext context_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<Block> block_;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::pair<EntryIndex, std::vector<Field>>> fields_;
};

}  // namespace agent
