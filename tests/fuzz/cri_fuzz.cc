// Takes a CRI line apart; must agree with the regular expression that Promtail uses.

#include <cstdint>
#include <string>
#include <string_view>

#include <re2/re2.h>

#include "base/check.h"
#include "pipeline/stages/cri_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  // As bytes: Latin-1 takes every byte for a character, as Go takes every bad one for one.
  static const RE2 kExpression(R"((?s)^(\S+?) (stdout|stderr) (\S+?) (.*)$)", RE2::Latin1);
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  re2::StringPiece time;
  re2::StringPiece stream;
  re2::StringPiece flags;
  re2::StringPiece content;
  const bool matches = RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), kExpression,
                                         &time, &stream, &flags, &content);

  const auto parts = agent::ParseCriLine(line);

  CHECK(parts.has_value() == matches);
  if (!parts) return 0;
  const auto same = [](std::string_view a, const re2::StringPiece& b) {
    return a == std::string_view(b.data(), b.size());
  };
  CHECK(same(parts->time, time));
  CHECK(same(parts->stream, stream));
  CHECK(same(parts->flags, flags));
  CHECK(same(parts->content, content));
  return 0;
}
