// Any bytes as another shipper's configuration. Nothing may crash or take long; what is made of
// Filebeat's must be YAML that is read again.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/convert/filebeat.h"
#include "agent/convert/promtail.h"
#include "base/check.h"
#include "base/config/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace agent;  // NOLINT(google-build-using-namespace): a program of one function.
  using namespace agent::convert;  // NOLINT(google-build-using-namespace): the same.
  constexpr std::size_t kMaxBytes = 65536;
  if (size == 0 || size > kMaxBytes) return 0;
  // The first byte chooses what the rest is.
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  Conversion conversion;
  if ((data[0] & 1U) != 0) {
    conversion = ConvertFilebeat("fuzz.yml", text);
  } else {
    Flags flags;
    flags.expand_env = (data[0] & 2U) != 0;
    flags.given["client.url"] = "http://localhost:3100/p";
    conversion =
        ConvertPromtail("fuzz.yaml", text, flags, nullptr,
                        [](const std::string& name) -> std::optional<std::string> {
                          return name == "A" ? std::optional<std::string>("value") : std::nullopt;
                        });
  }
  CHECK(!FormatFindings("fuzz.yml", conversion.findings, /*color=*/false).empty());
  if (!conversion.error.empty() || (data[0] & 1U) == 0) return 0;
  Problems problems("again.yaml", conversion.text);
  LoadYaml(conversion.text, problems);
  CHECK(!problems.has_errors());
  return 0;
}
