#include "pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "pipeline/geo/geo_databases.h"
#include "pipeline/stage_list.h"

namespace agent {

Pipeline::Pipeline(const PipelineDependencies& dependencies) : dependencies_(dependencies) {
  if (dependencies_.geo_databases != nullptr) return;
  own_geo_databases_ = std::make_unique<GeoDatabases>();
  dependencies_.geo_databases = own_geo_databases_.get();
}

Pipeline::~Pipeline() = default;

std::unique_ptr<Pipeline> Pipeline::Build(const ConfigNode& stages, const std::string& path,
                                          const std::string& job, Problems& problems,
                                          const PipelineDependencies& dependencies) {
  const std::size_t errors_before = problems.error_count();
  std::unique_ptr<Pipeline> pipeline(new Pipeline(dependencies));
  if (dependencies.keep_everything) pipeline->slots_.ReadEverything();
  const StageContext context{problems,
                             pipeline->slots_,
                             pipeline->drop_reasons_,
                             dependencies.label_sets,
                             dependencies.clock,
                             dependencies.logger,
                             dependencies.metrics,
                             pipeline->dependencies_.random,
                             *pipeline->dependencies_.geo_databases,
                             job,
                             path};
  for (NamedStage& named : BuildStages(stages, path, context)) {
    pipeline->statistics_.push_back(std::make_unique<StageStatistics>());
    pipeline->statistics_.back()->name = named.name;
    pipeline->stages_.push_back(std::move(named.stage));
  }
  if (problems.error_count() > errors_before) return nullptr;

  for (const auto& stage : pipeline->stages_)
    stage->Prepare(pipeline->slots_);
  for (const DropReasons::Info& reason : pipeline->drop_reasons_.all()) {
    pipeline->drops_.push_back(std::make_unique<DropStatistics>());
    pipeline->drops_.back()->reason = reason.name;
    pipeline->drops_.back()->promtail_counts = reason.promtail_counts;
  }
  pipeline->block_ = std::make_unique<Block>(pipeline->slots_, dependencies.label_sets);
  return pipeline;
}

void Pipeline::Run() {
  RunFrom(0);
  CountDrops();
}

// Two clock readings a stage and block: cheap enough to be always on.
void Pipeline::RunFrom(std::size_t first) {
  int64_t before = dependencies_.clock.MonotonicNanos();
  for (std::size_t i = first; i < stages_.size(); ++i) {
    StageStatistics& statistics = *statistics_[i];
    statistics.lines_in.Add(block_->live().size());
    stages_[i]->Process(*block_);
    block_->Compact();
    statistics.lines_out.Add(block_->live().size());
    const int64_t after = dependencies_.clock.MonotonicNanos();
    statistics.nanoseconds.Add(static_cast<uint64_t>(after - before));
    before = after;
  }
}

void Pipeline::EmitFrom(std::size_t first, const std::function<void(Block&)>& emit) {
  block_->Compact();
  if (block_->live().empty()) return;
  RunFrom(first);
  CountDrops();
  if (!block_->live().empty()) emit(*block_);
}

void Pipeline::Flush(FlushReason reason, const std::function<void(Block&)>& emit) {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (reason == FlushReason::kDeadline) {
      const std::optional<int64_t> deadline = stages_[i]->NextDeadline();
      if (!deadline || *deadline > now) continue;
    }
    block_->Reset(kEmptyLabelSet, nullptr);
    stages_[i]->Flush(reason, *block_);
    EmitFrom(i + 1, emit);
  }
}

void Pipeline::EndOfSource(const SourceProgress& progress,
                           const std::function<void(Block&)>& emit) {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    block_->Reset(kEmptyLabelSet, nullptr);
    stages_[i]->EndOfSource(progress, *block_);
    EmitFrom(i + 1, emit);
  }
}

std::optional<int64_t> Pipeline::NextDeadline() const {
  std::optional<int64_t> next;
  for (const auto& stage : stages_) {
    const std::optional<int64_t> deadline = stage->NextDeadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

void Pipeline::Abandon() {
  for (const auto& stage : stages_)
    stage->Abandon();
}

void Pipeline::CountDrops() {
  const auto& drops = block_->drops();
  for (std::size_t reason = 0; reason < drops.size(); ++reason) {
    if (drops[reason].lines == 0) continue;
    drops_[reason]->lines.Add(drops[reason].lines);
    drops_[reason]->bytes.Add(drops[reason].bytes + drops[reason].held_bytes);
  }
}

}  // namespace agent
