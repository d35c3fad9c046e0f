// Time zones by name, with Go's answers where local time is ambiguous or does not exist.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace agent {

// A zone of the IANA database. Remembers the period of the last look-up, so it belongs to one
// thread.
class Location {
 public:
  // A period in which a zone has one offset.
  struct Period {
    int64_t begin = 0;  // Seconds since 1970; included.
    int64_t end = 0;    // Not included.
    int32_t offset_seconds = 0;
    std::string abbreviation;  // "CET"
  };

  // "Europe/Berlin", "UTC", "Local" (the machine's zone), "" (UTC). The error names the nearest
  // known spelling.
  static Result<std::unique_ptr<Location>> Load(std::string_view name);
  static std::unique_ptr<Location> Utc();
  static std::unique_ptr<Location> Local();

  ~Location();
  Location(const Location&) = delete;
  Location& operator=(const Location&) = delete;

  [[nodiscard]] bool is_utc() const { return zone_ == nullptr; }
  // The period that holds this instant. Valid until the next call of any function.
  const Period& At(int64_t unix_seconds);
  // The instant of a local time, given as seconds since 1970 as if it were in UTC. Of the two
  // answers in an overlap, or the two in a gap, Go's.
  int64_t FromLocal(int64_t local_seconds);
  // The offset that the zone means by an abbreviation around a local time; nullopt when it has none
  // of that name.
  std::optional<int32_t> OffsetOf(std::string_view abbreviation, int64_t local_seconds);

 private:
  struct Zone;
  struct Abbreviation {
    std::string name;
    int32_t offset_seconds = 0;
  };

  explicit Location(std::unique_ptr<Zone> zone);
  Period Find(int64_t unix_seconds) const;
  void ListAbbreviations();

  std::unique_ptr<Zone> zone_;  // Null: UTC.
  Period period_;
  std::vector<Abbreviation> abbreviations_;  // Filled when first asked for.
};

}  // namespace agent
