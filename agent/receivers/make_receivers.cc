#include "agent/receivers/make_receivers.h"

namespace agent {

std::vector<std::unique_ptr<Receiver>> MakeReceivers(const Config& config,
                                                     const ReceiverDependencies& dependencies) {
  std::vector<std::unique_ptr<Receiver>> receivers;
  static_cast<void>(config);
  static_cast<void>(dependencies);
  return receivers;
}

}  // namespace agent
