// A line of a dead letter that is replayed: any bytes.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/modes/dead_letter_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto record = agent::ParseDeadLetterLine(line);
  if (!record.ok() && record.error().message.empty()) __builtin_trap();
  return 0;
}
