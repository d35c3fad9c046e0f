// Compiles the input as a template and renders it: whatever it is, it ends, within its bounds.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "pipeline/template/template.h"
#include "tests/pipeline/template/map_data.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static agent::SystemClock clock;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto compiled = agent::Template::Compile(text, clock);
  if (!compiled.ok()) {
    CHECK(!compiled.error().message.empty());
    return 0;
  }
  agent::MapData values(*compiled, {{"Value", "Hello W\xc3\xb6rld \xff"},
                                    {"Entry", "level=info n=12 {\"a\":[1,2]}"},
                                    {"a", "alpha"},
                                    {"n", "42"}});
  std::string first;
  if (!compiled->Execute(values, first)) CHECK(!compiled->last_error().empty());
  CHECK(first.size() < (std::size_t{32} << 20));
  return 0;
}
