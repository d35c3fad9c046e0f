// Takes Docker's wrapper off a line, or off a line made with the input as its log: every vectorised
// way must agree with the complete parser wherever it does not decline.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "pipeline/json/docker_line.h"
#include "pipeline/json/json_fields.h"
#include "tests/support/padded_text.h"

namespace {

void Compare(std::string_view line) {
  const agent::PaddedText padded(line);
  agent::JsonFields fields;
  for (const char* key : {"log", "stream", "time"}) {
    const std::string path(key);
    fields.Add({&path, 1});
  }
  agent::Arena arena;
  std::vector<agent::Value> values(3);
  const bool valid = fields.Read(padded.view(), arena, values);
  for (const agent::UnescapeVariant& variant : agent::UnescapeVariants()) {
    agent::DockerLine out;
    if (!agent::DockerUnwrapper(variant.unescape).Unwrap(padded.view(), arena, out)) continue;
    CHECK(valid);
    CHECK(values[0].is_string() && values[0].text() == out.log);
    CHECK(values[1].is_string() && values[1].text() == out.stream);
    CHECK(values[2].is_string() && values[2].text() == out.time);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Compare(input);
  const std::string log = "{\"log\":\"" + std::string(input);
  Compare(log + R"(","stream":"stdout","time":"2023-05-06T07:08:09.1Z"})");
  Compare(R"({"log":"","stream":"stderr","attrs":{)" + std::string(input) + R"(},"time":"t"})");
  return 0;
}
