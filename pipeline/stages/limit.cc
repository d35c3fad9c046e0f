// `limit` lets so many lines a second pass.
//
//   - limit: { rate: 100, burst: 200 }                             # Reading waits.
//   - limit: { rate: 100, burst: 200, drop: true }                 # The others are dropped.
//   - limit: { rate: 10, burst: 20, drop: true, by_label_name: app }
//
// One bucket for all workers of the job, full at the start. With `by_label_name` each value of the
// label has its own, and lines without the label pass. Without `drop` the lines over the rate wait
// here, and nothing more of the job's sources is read until they have gone on.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/rate_limiter.h"
#include "pipeline/stages/label_limits.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr std::string_view kReason = "ratelimit_drop_stage";
constexpr int64_t kMinDistinctLabels = 10'000;
constexpr double kUnbounded = std::numeric_limits<double>::max();

// The one bucket of a stage.
class SharedRate final : public SharedState {
 public:
  SharedRate(double rate, double burst, Clock& clock) : limiter(rate, burst, clock) {}

  RateLimiter limiter;
};

class DropOverRateStage final : public Stage {
 public:
  DropOverRateStage(std::shared_ptr<SharedRate> rate, DropReason reason)
      : rate_(std::move(rate)), reason_(reason) {}

  void Process(Block& block) override {
    const auto live = block.live();
    if (live.empty()) return;
    const std::size_t passing = rate_->limiter.Take(live.size());
    for (const EntryIndex entry : live.subspan(passing))
      block.Drop(entry, reason_);
  }

 private:
  const std::shared_ptr<SharedRate> rate_;  // Shared with the other workers' copies.
  const DropReason reason_;
};

class DropByLabelStage final : public Stage {
 public:
  DropByLabelStage(std::shared_ptr<LabelLimits> limits, std::string label, DropReason reason)
      : limits_(std::move(limits)), label_(std::move(label)), reason_(reason) {}

  void Process(Block& block) override {
    const auto live = block.live();
    Count(block);
    for (Value& value : values_)
      value.passing = limits_->Take(value.text, value.lines);
    for (std::size_t i = 0; i < live.size(); ++i) {
      if (value_of_line_[i] == kNoLabel) continue;
      Value& value = values_[value_of_line_[i]];
      if (value.passing > 0) {
        --value.passing;
      } else {
        block.Drop(live[i], reason_);
      }
    }
  }

 private:
  static constexpr uint32_t kNoLabel = ~uint32_t{0};
  struct Value {
    std::string_view text;
    std::size_t lines = 0;
    std::size_t passing = 0;
  };

  // How many of the block's lines have which value. Looks at each label set once.
  void Count(Block& block) {
    values_.clear();
    value_of_text_.clear();
    value_of_set_.clear();
    value_of_line_.clear();
    std::optional<LabelSetId> last;
    uint32_t value = kNoLabel;
    for (const EntryIndex entry : block.live()) {
      const LabelSetId labels = block.LabelsOf(entry);
      if (labels != last) value = ValueOf(block, labels);
      last = labels;
      value_of_line_.push_back(value);
      if (value != kNoLabel) ++values_[value].lines;
    }
  }

  uint32_t ValueOf(Block& block, LabelSetId labels) {
    const auto [at, is_new] = value_of_set_.try_emplace(labels, kNoLabel);
    if (!is_new) return at->second;
    const std::string* const text = block.label_sets().Get(labels).Find(label_);
    if (text == nullptr) return kNoLabel;
    const auto [known, is_new_text] =
        value_of_text_.try_emplace(*text, static_cast<uint32_t>(values_.size()));
    if (is_new_text) values_.push_back({*text, 0, 0});
    at->second = known->second;
    return known->second;
  }

  const std::shared_ptr<LabelLimits> limits_;  // Shared with the other workers' copies.
  const std::string label_;
  const DropReason reason_;
  // Of the present block.
  std::vector<Value> values_;
  std::unordered_map<std::string_view, uint32_t> value_of_text_;
  std::unordered_map<LabelSetId, uint32_t> value_of_set_;
  std::vector<uint32_t> value_of_line_;
};

class WaitStage final : public Stage {
 public:
  WaitStage(StageContext& context, std::shared_ptr<SharedRate> rate, double lines_per_second)
      : label_sets_(context.label_sets),
        clock_(context.clock),
        rate_(std::move(rate)),
        slice_lines_(SliceLines(lines_per_second)),
        memory_(context.held_memory.Reserve(0)) {}
  WaitStage(const WaitStage&) = delete;
  WaitStage& operator=(const WaitStage&) = delete;
  ~WaitStage() override { Abandon(); }

  void Process(Block& block) override {
    const auto live = block.live();
    if (live.empty()) return;
    const std::size_t passing = waiting_.empty() ? rate_->limiter.Take(live.size()) : 0;
    if (passing == live.size()) return;
    for (const EntryIndex entry : live.subspan(passing))
      Keep(block.Detach(entry));
    if (slice_ == 0) ReserveSlice(clock_.MonotonicNanos());
    memory_.Resize(memory_bytes_);
  }

  [[nodiscard]] bool full() const override { return !waiting_.empty(); }
  [[nodiscard]] bool limits_reading() const override { return true; }
  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    if (slice_ == 0) return std::nullopt;
    return due_ns_;
  }

  void Flush(FlushReason reason, Block& block) override {
    if (reason == FlushReason::kStop) {
      LetGo(waiting_.size(), block);
      slice_ = 0;
    }
    // The next slice follows the one before also when we are late.
    const int64_t now = clock_.MonotonicNanos();
    while (slice_ > 0 && due_ns_ <= now) {
      LetGo(slice_, block);
      ReserveSlice(due_ns_);
    }
    memory_.Resize(memory_bytes_);
  }

  void Abandon() override {
    for (const HeldEntry& entry : waiting_) {
      for (const auto& held : entry.holds)
        held->Abandon();
      label_sets_.Unpin(entry.labels);
    }
    waiting_.clear();
    slice_ = 0;
    memory_bytes_ = 0;
    memory_.Resize(0);
  }

 private:
  // What comes out at once: as many as belong to a fiftieth of a second, that the thread is not
  // woken for each, and workers take turns.
  static std::size_t SliceLines(double lines_per_second) {
    return static_cast<std::size_t>(std::clamp(lines_per_second / 50, 1.0, 1e6));
  }
  static std::size_t MemoryOf(const HeldEntry& entry) {
    return sizeof(HeldEntry) + entry.memory_bytes();
  }

  void Keep(HeldEntry entry) {
    memory_bytes_ += MemoryOf(entry);
    waiting_.push_back(std::move(entry));
  }
  void LetGo(std::size_t count, Block& block) {
    for (; count > 0; --count) {
      memory_bytes_ -= MemoryOf(waiting_.front());
      block.InsertAtEnd(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  void ReserveSlice(int64_t from_ns) {
    slice_ = std::min(waiting_.size(), slice_lines_);
    if (slice_ > 0) due_ns_ = rate_->limiter.Reserve(slice_, from_ns);
  }

  LabelSets& label_sets_;
  Clock& clock_;
  const std::shared_ptr<SharedRate> rate_;  // Shared with the other workers' copies.
  const std::size_t slice_lines_;
  std::deque<HeldEntry> waiting_;
  std::size_t slice_ = 0;  // Of those, in front: their tokens are reserved...
  int64_t due_ns_ = 0;     // ...for this moment, monotonic.
  MemoryBudget::Reservation memory_;
  std::size_t memory_bytes_ = 0;
};

struct LimitOptions {
  double rate = 0;
  int64_t burst = 0;
  bool drop = false;
  std::string label;
  int64_t max_values = 0;
};

LimitOptions ReadOptions(StageFields& fields) {
  LimitOptions options;
  const std::size_t errors = fields.problems().error_count();
  options.rate = fields.Float("rate", 0, -kUnbounded, kUnbounded);
  options.burst = fields.Int("burst", 0, std::numeric_limits<int64_t>::min(),
                             std::numeric_limits<int64_t>::max());
  options.drop = fields.Bool("drop", false);
  options.label = fields.String("by_label_name");
  options.max_values = fields.Int("max_distinct_labels", 0, 0, std::numeric_limits<int32_t>::max());
  if (fields.problems().error_count() > errors) return options;
  if (options.rate <= 0) {
    fields.Error("rate", "limit needs a 'rate' above 0", "lines per second, such as rate: 100");
  }
  if (options.burst <= 0) {
    fields.Error("burst", "limit needs a 'burst' above 0",
                 "lines that may come at once, such as burst: 200");
  }
  if (!options.label.empty() && !options.drop) {
    fields.Error("by_label_name", "a limit by label must drop what is over it", "add 'drop: true'");
  }
  if (options.label.empty()) return options;
  if (options.max_values > 0 && options.max_values < kMinDistinctLabels) {
    fields.Warning("max_distinct_labels", "is raised to 10000",
                   "fewer are not worth forgetting: remove it");
  }
  options.max_values = std::max(options.max_values, kMinDistinctLabels);
  return options;
}

}  // namespace

std::unique_ptr<Stage> MakeLimitStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context, FieldReader::Typing::kWeak);
  const LimitOptions options = ReadOptions(fields);
  if (!fields.Finish()) return nullptr;

  const auto burst = static_cast<double>(options.burst);
  if (!options.label.empty()) {
    auto limits = context.shared.Get<LabelLimits>(context.Owner(), [&] {
      const auto max_values = static_cast<std::size_t>(options.max_values);
      return std::make_shared<LabelLimits>(
          LabelLimits::Options{options.label, options.rate, burst, max_values}, context.clock);
    });
    return std::make_unique<DropByLabelStage>(std::move(limits), options.label,
                                              context.drop_reasons.Intern(kReason));
  }
  auto rate = context.shared.Get<SharedRate>(context.Owner(), [&] {
    return std::make_shared<SharedRate>(options.rate, burst, context.clock);
  });
  if (options.drop) {
    return std::make_unique<DropOverRateStage>(std::move(rate),
                                               context.drop_reasons.Intern(kReason));
  }
  return std::make_unique<WaitStage>(context, std::move(rate), options.rate);
}

}  // namespace agent
