// Any bytes as a configuration: expanded, parsed, read, printed. Nothing may crash or take long,
// and what was read without errors must be readable again from what it is printed as.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/config/effective_yaml.h"
#include "agent/config/loader.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace agent;  // NOLINT(google-build-using-namespace): a program of one function.
  constexpr std::size_t kMaxBytes = 65536;
  if (size == 0 || size > kMaxBytes) return 0;
  // The first byte chooses what else is done with the rest.
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  Flags flags;
  flags.expand_env = (data[0] & 1U) != 0;
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "value";
    if (name == "B") return "two\nlines";
    return std::nullopt;
  };

  const LoadedConfig loaded = LoadConfigText("fuzz.yaml", text, flags, nullptr, environment);
  const std::string report = loaded.problems.Format(/*color=*/(data[0] & 2U) != 0);
  CHECK(loaded.problems.all().empty() || !report.empty());

  if (loaded.problems.has_errors()) return 0;
  flags.expand_env = false;
  const std::string printed = EffectiveYaml(loaded.config);
  const LoadedConfig again = LoadConfigText("again.yaml", printed, flags, nullptr, environment);
  CHECK(!again.problems.has_errors());
  return 0;
}
