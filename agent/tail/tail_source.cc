#include "agent/tail/tail_source.h"

#include <cstring>

namespace agent {

TailSource::TailSource(std::shared_ptr<SourceContext> context, TailSourceInit& init)
    : encoding_(init.encoding.empty() ? nullptr : std::make_unique<TextEncoding>(init.encoding)),
      progress_(std::move(init.progress)),
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

std::size_t TailSource::EndOfLastLine(const char* data, std::size_t bytes) const {
  if (encoding_ != nullptr) return encoding_->EndOfLastLine(data, bytes);
  const auto* newline = static_cast<const char*>(::memrchr(data, '\n', bytes));
  return newline != nullptr ? static_cast<std::size_t>(newline - data) + 1 : 0;
}

std::size_t TailSource::EndOfFirstLine(const char* data, std::size_t bytes) const {
  if (encoding_ != nullptr) return encoding_->EndOfFirstLine(data, bytes);
  const auto* newline = static_cast<const char*>(std::memchr(data, '\n', bytes));
  return newline != nullptr ? static_cast<std::size_t>(newline - data) + 1 : 0;
}

}  // namespace agent
