// The first line of the input is a format, the second a time; the fast RFC 3339 parser must agree
// with the layout, also from memory, and what a layout writes it must read.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "pipeline/time/civil.h"
#include "pipeline/time/layout.h"
#include "pipeline/time/location.h"
#include "pipeline/time/rfc3339.h"
#include "pipeline/time/time_format.h"

namespace {

void CheckRfc3339(std::string_view text, agent::Location& utc) {
  static agent::Rfc3339Parser parser;
  static const agent::Layout kLayout("2006-01-02T15:04:05.999999999Z07:00");
  const auto slow = kLayout.Parse(text, utc, utc);
  std::optional<int64_t> want;
  if (slow) want = agent::ToUnixNanos(slow->unix_seconds, slow->nanos);
  CHECK(parser.Parse(text) == want);
  CHECK(parser.Parse(text) == want);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const agent::SystemClock kClock;
  static const std::unique_ptr<agent::Location> kUtc = agent::Location::Utc();
  static const std::unique_ptr<agent::Location> kBerlin =
      agent::Location::Load("Europe/Berlin").value();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  const std::string_view text = line == std::string_view::npos ? input : input.substr(line + 1);
  CheckRfc3339(text, *kUtc);

  const std::string_view format = input.substr(0, line);
  agent::TimeFormat reader(format, kBerlin.get(), *kUtc, kClock);
  const auto first = reader.Parse(text);
  CHECK(reader.Parse(text) == first);

  const agent::Layout layout(format);
  if (const auto time = layout.Parse(text, *kBerlin, *kUtc)) {
    std::string written;
    layout.Format(*time, written);
  }
  return 0;
}
