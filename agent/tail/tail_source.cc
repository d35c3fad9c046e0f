#include "agent/tail/tail_source.h"

namespace agent {

TailSource::TailSource(std::shared_ptr<SourceContext> context, TailSourceInit& init)
    : progress_(std::move(init.progress)),
      predecessor_(std::move(init.predecessor)),
      name_(std::move(init.name)),
      context_(std::move(context)),
      job_(std::move(init.job)),
      labels_(std::move(init.labels)),
      streams_(std::move(init.streams)),
      lineage_(init.lineage),
      changed_(std::move(init.changed)) {
  const MutexLock lock(mutex_);
  snapshot_.read_offset = progress_->processed_end();
  snapshot_.identity = init.identity;
}

const Source* TailSource::predecessor() const {
  return predecessor_ != nullptr && !predecessor_->drained() ? predecessor_.get() : nullptr;
}

SourceSnapshot TailSource::Snapshot() const {
  const MutexLock lock(mutex_);
  return snapshot_;
}

}  // namespace agent
