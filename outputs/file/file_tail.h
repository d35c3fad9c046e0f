// Where the whole part of a file ends, that a kill or a power loss may have left in the middle of a
// batch.

#pragma once

#include <cstdint>

#include "base/result.h"
#include "outputs/file/file_options.h"

namespace agent::file {

struct FileTail {
  enum class State : uint8_t {
    kWhole,
    kTorn,     // What is behind whole_bytes is not.
    kUnknown,  // It is not a file of ours, or damaged elsewhere: nothing may be cut off.
  };
  State state = State::kWhole;
  uint64_t whole_bytes = 0;
};

// Reads what it needs of `fd`, which has `size` bytes and stays where it is. Reads headers of all
// batches of a compressed file, and the last ones whole. Fails when it cannot be read.
Result<FileTail> JudgeTail(int fd, uint64_t size, FileCompression compression, FileFormat format);

}  // namespace agent::file
