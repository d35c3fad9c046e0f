// An answer to `_bulk`: any bytes.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "outputs/elasticsearch/bulk_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (std::size_t documents = 0; documents < 3; ++documents) {
    const auto items = agent::elasticsearch::ParseBulkAnswer(body, documents);
    if (items.ok() && items->size() != documents) __builtin_trap();
  }
  return 0;
}
