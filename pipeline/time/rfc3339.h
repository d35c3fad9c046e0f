// RFC 3339 times, as CRI, Docker and most programs write them. Consecutive lines mostly fall into
// the same second, so the parser remembers the last one: then only fraction and offset are looked
// at.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent {

// Accepts exactly what Go's time.Parse(time.RFC3339Nano) accepts: "2006-01-02T15:04:05Z", any
// number of fraction digits (cut at nanoseconds) after a dot or a comma, an hour of one digit,
// offsets of up to 24:60. One per thread.
class Rfc3339Parser {
 public:
  // Nanoseconds since 1970; a time that 64 bits cannot hold (before 1677, after 2262) becomes the
  // nearest one that they can. nullopt: not such a time, or out of its range (February 30).
  // Reads no byte beyond `text`.
  std::optional<int64_t> Parse(std::string_view text);

 private:
  std::optional<int64_t> ParseSlow(std::string_view text) const;

  // "2006-01-02T15:04:05" as three overlapping words, and its seconds since 1970.
  uint64_t words_[3] = {0, 0, 0};
  int64_t seconds_ = 0;
};

// "2006-01-02T15:04:05.999999999Z" in UTC, without the zeros at the end of the fraction.
std::string FormatRfc3339(int64_t unix_nanos);

}  // namespace agent
