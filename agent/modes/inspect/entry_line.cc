#include "agent/modes/inspect/entry_line.h"

#include <ctime>

#include "base/clock.h"

namespace agent {
namespace {

constexpr std::string_view kTimeColor = "\x1b[32m";
constexpr std::string_view kLabelsColor = "\x1b[36m";
constexpr std::string_view kNoColor = "\x1b[0m";

void AppendCell(std::string_view color, std::string_view text, std::string& out) {
  out.append(color);
  out.append(text);
  if (!color.empty()) out.append(kNoColor);
  out += '\t';
}

}  // namespace

std::string FormatEntryTime(int64_t ns) {
  int64_t seconds = ns / kNanosPerSecond;
  int64_t nanos = ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  const auto time = static_cast<time_t>(seconds);
  std::tm local{};
  localtime_r(&time, &local);
  char text[64];
  std::string out(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local));
  if (nanos > 0) {
    std::string fraction = std::to_string(nanos + kNanosPerSecond).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += '.';
    out += fraction;
  }
  out.append(text, std::strftime(text, sizeof(text), "%z", &local));
  return out;
}

void AppendEntryLine(int64_t timestamp_ns, std::string_view labels, std::string_view line,
                     bool color, std::string& out) {
  AppendCell(color ? kTimeColor : "", FormatEntryTime(timestamp_ns), out);
  AppendCell(color ? kLabelsColor : "", labels, out);
  out.append(line);
  out += '\n';
}

}  // namespace agent
