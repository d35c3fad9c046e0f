// Work that may block (a scan, an fsync), off the loop thread.

#pragma once

#include <functional>

#include "base/loop.h"

namespace agent {

// Runs `work` on one of libuv's threads, then `done` on the loop thread. Loop thread. The loop does
// not end before both have run; `done` must not touch what may be gone by then.
void RunInBackground(Loop& loop, std::function<void()> work, std::function<void()> done);

}  // namespace agent
