// Something that a stage cannot handle: a text that is not JSON, a time that fits no format. The
// entry goes on as the stage's rules have it; here it is counted, the first few are logged with
// their place, and whoever watches is told.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/counter.h"
#include "pipeline/block.h"
#include "pipeline/stage.h"
#include "pipeline/stage_observer.h"

namespace agent {

// One reason of one stage. The worker's thread.
class StageFailure {
 public:
  // `reason` is the label in agent_stage_failures_total, `message` says the same in words: "the
  // text is no JSON object". Both are constants. While the stage is built.
  StageFailure(StageContext& context, std::string_view reason, std::string_view message);

  // Cheap enough for every line.
  void Report(Block& block, EntryIndex entry) {
    count_.Add();
    if (logs_left_ > 0) Log(block, entry);
    if (observer_ != nullptr) observer_->OnFailure(entry, message_);
  }

 private:
  // Lines that fail are often many and always the same: more would say nothing new.
  static constexpr int kLogged = 3;

  void Log(Block& block, EntryIndex entry);

  Counter& count_;
  Logger& logger_;
  StageObserver* const observer_;  // May be null.
  const std::string_view reason_;
  const std::string_view message_;
  const std::string job_;
  const std::string place_;
  int logs_left_ = kLogged;
};

}  // namespace agent
