// CHECK(condition) states what must hold unless there is a bug here. It aborts, in release builds
// too, and says where. Never used on input, files or networks.

#pragma once

namespace agent {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace agent

// For headers: the test framework has a CHECK of its own, which would take the place of ours there.
#define AGENT_CHECK(condition)                              \
  do {                                                      \
    if (!(condition)) [[unlikely]] {                        \
      ::agent::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                       \
  } while (false)

#ifndef CHECK
#define CHECK(condition) AGENT_CHECK(condition)
#endif
