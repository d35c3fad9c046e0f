// Any bytes as a file of targets, in YAML and in JSON.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "discovery/target_groups_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxBytes = 65536;
  if (size > kMaxBytes) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)agent::ParseTargetGroups("t.yml", text).ok();
  (void)agent::ParseTargetGroups("t.json", text).ok();
  return 0;
}
