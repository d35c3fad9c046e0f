// The formats that the `timestamp` stage reads: Go layouts, names for common ones, and Unix times.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pipeline/time/layout.h"
#include "pipeline/time/location.h"
#include "pipeline/time/rfc3339.h"

namespace agent {

// One format. One thread.
class TimeFormat {
 public:
  // `format` is a predefined name ("RFC3339", "Unix", …) or a Go layout. `location` is where texts
  // without an offset are, for layouts only; null: UTC. `local` is the machine's zone, which lends
  // its abbreviations. `clock` tells the year for layouts that have none. None is owned.
  TimeFormat(std::string_view format, Location* location, Location& local, const Clock& clock);

  // Nanoseconds since 1970, or the nearest time that 64 bits can hold; nullopt when the text does
  // not have this format.
  std::optional<int64_t> Parse(std::string_view text);

  // False for a layout in which nothing stands for a piece of a time (such as "yyyy-MM-dd").
  [[nodiscard]] bool has_elements() const;

 private:
  enum class Kind : uint8_t {
    kRfc3339,
    kUnix,
    kUnixMs,
    kUnixUs,
    kUnixNs,
    kLayout,
    kLayoutWithoutYear,
  };

  std::optional<int64_t> ParseWithoutYear(std::string_view text);

  Kind kind_ = Kind::kLayout;
  Layout layout_;
  Rfc3339Parser rfc3339_;
  Location& local_;
  Location* location_;  // Null: UTC, and abbreviations are those of local_.
  std::unique_ptr<Location> utc_;
  const Clock& clock_;
};

}  // namespace agent
