#include "pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "pipeline/geo/geo_databases.h"
#include "pipeline/stages/docker_source.h"

namespace agent {
namespace {

// Since the block was filled, for whatever reason.
uint64_t DroppedLines(const Block& block) {
  uint64_t lines = 0;
  for (const Block::DropCount& drop : block.drops())
    lines += drop.lines;
  return lines;
}

}  // namespace

Pipeline::Pipeline(std::string job, const PipelineDependencies& dependencies)
    : job_(std::move(job)), dependencies_(dependencies) {
  if (dependencies_.geo_databases != nullptr) return;
  own_geo_databases_ = std::make_unique<GeoDatabases>();
  dependencies_.geo_databases = own_geo_databases_.get();
}

Pipeline::~Pipeline() = default;

std::unique_ptr<Pipeline> Pipeline::Build(const ConfigNode& stages, const std::string& path,
                                          const std::string& job, Problems& problems,
                                          const PipelineDependencies& dependencies) {
  const std::size_t errors_before = problems.error_count();
  std::unique_ptr<Pipeline> pipeline(new Pipeline(job, dependencies));
  if (dependencies.keep_everything) pipeline->slots_.ReadEverything();
  const StageContext context{
      problems,
      pipeline->slots_,
      pipeline->drop_reasons_,
      dependencies.label_sets,
      dependencies.clock,
      dependencies.logger,
      dependencies.metrics,
      pipeline->dependencies_.random,
      *pipeline->dependencies_.geo_databases,
      dependencies.shared != nullptr ? *dependencies.shared : pipeline->own_shared_,
      dependencies.held_memory != nullptr ? *dependencies.held_memory : pipeline->own_held_memory_,
      pipeline->counters_,
      job,
      path,
      dependencies.observer};
  if (dependencies.unwraps_docker) {
    StageContext own = context;
    own.name = own.path = own.place = "docker_sd";
    pipeline->AddStage({{"docker_sd", own.place, own.path}, MakeDockerSourceStage(own)});
  }
  for (NamedStage& named : BuildStages(stages, path, context))
    pipeline->AddStage(std::move(named));
  if (problems.error_count() > errors_before) return nullptr;

  const bool show_all =
      std::find(dependencies.wanted_fields.begin(), dependencies.wanted_fields.end(), "*") !=
      dependencies.wanted_fields.end();
  std::vector<Slot> shown;
  if (show_all) {
    pipeline->slots_.ReadEverything();
  } else {
    for (const std::string& name : dependencies.wanted_fields)
      shown.push_back(pipeline->slots_.Read(name));
  }
  for (const NamedStage& named : pipeline->stages_)
    named.stage->Prepare(pipeline->slots_);
  for (const DropReasons::Info& reason : pipeline->drop_reasons_.all()) {
    pipeline->drops_.push_back(std::make_unique<DropStatistics>());
    pipeline->drops_.back()->reason = reason.name;
    pipeline->drops_.back()->promtail_counts = reason.promtail_counts;
  }
  pipeline->block_ = std::make_unique<Block>(pipeline->slots_, dependencies.label_sets);
  pipeline->block_->ShowFields(show_all ? std::nullopt : std::make_optional(std::move(shown)));
  return pipeline;
}

void Pipeline::AddStage(NamedStage named) {
  statistics_.push_back(std::make_unique<StageStatistics>());
  statistics_.back()->name = named.place.name;
  stages_.push_back(std::move(named));
}

void Pipeline::ObserveBlock(BlockCause cause) {
  if (observer() != nullptr) {
    observer()->BeginBlock({job_, drop_reasons_}, cause, *block_);
  }
}

void Pipeline::Run() {
  ObserveBlock(BlockCause::kLines);
  RunFrom(0);
  CountDrops();
}

// Two clock readings a stage and block: cheap enough to be always on.
void Pipeline::RunFrom(std::size_t first) {
  int64_t before = dependencies_.clock.MonotonicNanos();
  uint64_t dropped_before = DroppedLines(*block_);
  for (std::size_t i = first; i < stages_.size(); ++i) {
    StageStatistics& statistics = *statistics_[i];
    statistics.lines_in.Add(block_->live().size());
    {
      const StageScope scope(observer(), stages_[i].place, *block_);
      stages_[i].stage->Process(*block_);
      block_->Compact();
    }
    statistics.lines_out.Add(block_->live().size());
    const uint64_t dropped = DroppedLines(*block_);
    statistics.lines_dropped.Add(dropped - dropped_before);
    dropped_before = dropped;
    const int64_t after = dependencies_.clock.MonotonicNanos();
    statistics.nanoseconds.Add(static_cast<uint64_t>(after - before));
    before = after;
  }
}

// What a stage has let out that it had kept back, or given up: nothing else is in the block.
void Pipeline::CountEmitted(std::size_t stage) {
  statistics_[stage]->lines_out.Add(block_->live().size());
  statistics_[stage]->lines_dropped.Add(DroppedLines(*block_));
}

void Pipeline::EmitFrom(std::size_t first, const std::function<void(Block&)>& emit) {
  if (!block_->live().empty()) RunFrom(first);
  CountDrops();
  if (!block_->live().empty()) {
    emit(*block_);
  } else if (observer() != nullptr) {
    observer()->EndBlock(*block_, 0);
  }
}

void Pipeline::Flush(FlushReason reason, const std::function<void(Block&)>& emit) {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (reason == FlushReason::kDeadline) {
      const std::optional<int64_t> deadline = stages_[i].stage->NextDeadline();
      if (!deadline || *deadline > now) continue;
    }
    block_->Reset(kEmptyLabelSet, nullptr);
    ObserveBlock(reason == FlushReason::kDeadline ? BlockCause::kDeadline
                                                  : BlockCause::kEndOfInput);
    {
      const StageScope scope(observer(), stages_[i].place, *block_);
      stages_[i].stage->Flush(reason, *block_);
      block_->Compact();
    }
    CountEmitted(i);
    EmitFrom(i + 1, emit);
  }
}

void Pipeline::EndOfSource(const SourceProgress& progress,
                           const std::function<void(Block&)>& emit) {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    block_->Reset(kEmptyLabelSet, nullptr);
    ObserveBlock(BlockCause::kEndOfSource);
    {
      const StageScope scope(observer(), stages_[i].place, *block_);
      stages_[i].stage->EndOfSource(progress, *block_);
      block_->Compact();
    }
    CountEmitted(i);
    EmitFrom(i + 1, emit);
  }
}

std::optional<int64_t> Pipeline::NextDeadline() const {
  std::optional<int64_t> next;
  for (const NamedStage& named : stages_) {
    const std::optional<int64_t> deadline = named.stage->NextDeadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

bool Pipeline::full() const {
  return std::any_of(stages_.begin(), stages_.end(),
                     [](const NamedStage& named) { return named.stage->full(); });
}

bool Pipeline::limits_reading() const {
  return std::any_of(stages_.begin(), stages_.end(),
                     [](const NamedStage& named) { return named.stage->limits_reading(); });
}

void Pipeline::Abandon() {
  for (const NamedStage& named : stages_)
    named.stage->Abandon();
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
