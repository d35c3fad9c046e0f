// Journals are read through mapped memory: where a file is cut off while it is read, the process
// would die of SIGBUS. A thread that has a guard finds zeros there instead.

#pragma once

namespace agent {

class BusGuard {
 public:
  // Replaces the process's handler of SIGBUS the first time. One for a thread at a time.
  BusGuard();
  BusGuard(const BusGuard&) = delete;
  BusGuard& operator=(const BusGuard&) = delete;
  ~BusGuard();

  // Whether something was missing since the guard was made: what was read is not to be believed.
  [[nodiscard]] static bool hit();
};

}  // namespace agent
