#include "agent/runtime/label_guard.h"

#include <xxhash.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace agent {
namespace {

std::string_view HintFor(OnExcess on_excess) {
  switch (on_excess) {
    case OnExcess::kStructuredMetadata:
      return "new values are moved to structured metadata; use structured_metadata in the pipeline";
    case OnExcess::kBucket:
      return "new values are put into buckets; use structured_metadata for what differs on every "
             "line";
    case OnExcess::kDropLabel:
      return "new values are shipped without the label; take it out of the labels stage";
    case OnExcess::kNone:
      break;
  }
  return "use structured_metadata for what differs on every line, or set limits_config.on_excess";
}

}  // namespace

LabelGuard::LabelGuard(Options options, LabelSets& sets, std::shared_ptr<JobLabelValues> values,
                       Logger& logger)
    : options_(std::move(options)),
      sets_(sets),
      values_(std::move(values)),
      logger_(logger),
      epoch_(sets.epoch()) {}

void LabelGuard::Apply(Block& block, std::size_t entries) {
  if (epoch_ != sets_.epoch()) {
    steps_.clear();
    epoch_ = sets_.epoch();
  }
  for (std::size_t i = 0; i < entries; ++i) {
    const EntryIndex entry = block.live()[i];
    const LabelSetId id = block.LabelsOf(entry);
    if (id >= steps_.size() || !steps_[id].known) Meet(id);
    const LabelSetId to = steps_[id].to;
    if (to == id) continue;
    if (options_.on_excess == OnExcess::kStructuredMetadata) MoveToMetadata(block, entry, id, to);
    block.SetLabels(entry, to);
  }
}

void LabelGuard::Meet(LabelSetId id) {
  if (id >= steps_.size()) steps_.resize(std::max<std::size_t>(id + 1, steps_.size() * 2));
  const auto too_many = values_->Meet(sets_.Get(id), options_.max_values);
  for (const JobLabelValues::Excess& excess : too_many)
    Warn(sets_.Get(id), excess);
  const bool acts = options_.on_excess != OnExcess::kNone && !too_many.empty();
  steps_[id] = {acts ? Changed(id, too_many) : id, true};
}

LabelSetId LabelGuard::Changed(LabelSetId id, const std::vector<JobLabelValues::Excess>& too_many) {
  Labels labels = sets_.Get(id);
  for (const auto& [name, values] : too_many) {
    // A stream has at least one label, or Loki refuses the whole request.
    const auto in_stream = std::count_if(labels.begin(), labels.end(), [](const Label& label) {
      return !label.name.starts_with("__");
    });
    if (options_.on_excess == OnExcess::kBucket || in_stream == 1) {
      labels.Set(name, BucketOf(labels.Value(name)));
    } else {
      labels.Remove(name);
    }
  }
  return sets_.Intern(labels);
}

std::string LabelGuard::BucketOf(std::string_view value) {
  const std::string number = std::to_string(XXH3_64bits(value.data(), value.size()) % kBuckets);
  return (number.size() < 2 ? "bucket_0" : "bucket_") + number;
}

void LabelGuard::Warn(const Labels& labels, const JobLabelValues::Excess& excess) {
  logger_.WriteLimited(LogLevel::kWarn, "label values " + options_.job + " " + excess.name,
                       "pipeline", "a label has too many values: each of them is a stream",
                       {{"job", options_.job},
                        {"label", excess.name},
                        {"values", excess.values},
                        {"limit", options_.max_values},
                        {"sample", labels.Value(excess.name).substr(0, 64)},
                        {"hint", HintFor(options_.on_excess)}});
}

void LabelGuard::MoveToMetadata(Block& block, EntryIndex entry, LabelSetId from,
                                LabelSetId to) const {
  const Labels& after = sets_.Get(to);
  for (const Label& label : sets_.Get(from)) {
    if (after.Has(label.name)) continue;
    block.AddMetadata(entry, block.arena().Copy(label.name), block.arena().Copy(label.value));
  }
}

}  // namespace agent
