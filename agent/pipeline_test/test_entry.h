// What comes out of a pipeline, in the form in which a test writes it down and compares it.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/config/yaml.h"
#include "base/value.h"
#include "pipeline/block.h"

namespace agent {

// By name; values as they stand in YAML: "text" in double quotes, 12, true, null.
using YamlValues = std::map<std::string, std::string, std::less<>>;

struct TestEntry {
  std::string line;
  int64_t timestamp_ns = 0;
  YamlValues labels;
  YamlValues structured_metadata;
  YamlValues extracted;

  bool operator==(const TestEntry&) const = default;
};

// The name of a series as it is scraped, with its labels; the value as YAML.
using TestMetrics = YamlValues;

// In double quotes, with YAML's escapes. Bytes that are not UTF-8 cannot be written in YAML; they
// come out as \xNN, which YAML would read as another text.
std::string YamlQuoted(std::string_view text);
// In single quotes where the text would need escapes in double ones, and can do without in these.
std::string YamlText(std::string_view text);
// A number in the form in which extracted values and metrics are compared.
std::string YamlNumber(double value);

// What stands in a file, in the same form: plain numbers, true, false and null are these, the rest
// is text.
std::string YamlValueOf(const ConfigNode& node);

// What stands in a block. Without the extracted values that only repeat a label of `start`.
TestEntry TestEntryOf(Block& block, EntryIndex entry, const Labels& start);

}  // namespace agent
