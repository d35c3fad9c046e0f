#include "base/random.h"

#include <sys/random.h>
#include <unistd.h>

#include <ctime>

namespace agent {

Random Random::FromSystem() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed)) return Random(seed);
  // An old kernel or a seccomp filter: time and process id keep two agents apart.
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  seed = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
  return Random(seed ^ (static_cast<uint64_t>(getpid()) << 32));
}

}  // namespace agent
