// The receivers that a configuration asks for.

#pragma once

#include <memory>
#include <vector>

#include "agent/config/config.h"
#include "agent/receivers/receiver.h"
#include "agent/tail/position_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

namespace agent {

// All of it outlives the receivers.
struct ReceiverDependencies {
  Loop& loop;
  Clock& clock;
  Logger& logger;
  PositionStore& positions;
};

// One for each job that has a `journal`, `syslog` or `loki_push_api`. `relabel_configs` have been
// compiled before: they are known to be right.
std::vector<std::unique_ptr<Receiver>> MakeReceivers(const Config& config,
                                                     const ReceiverDependencies& dependencies);

}  // namespace agent
