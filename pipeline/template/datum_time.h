// Times of templates: shown, moved, taken apart.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/template/datum.h"
#include "pipeline/time/layout.h"

namespace agent {

constexpr int64_t kYearOne = -62'135'596'800;  // Go's zero time, in seconds since 1970.

DatumTime TimeFromNanos(int64_t nanos, Location* location);
// Of a parsed text, whose zone name must outlive the result.
DatumTime TimeFromParsed(const ParsedTime& parsed);
ParsedTime ToParsedTime(const DatumTime& time);

// Nanoseconds since 1970, or the nearest that 64 bits can hold.
int64_t NanosOf(const DatumTime& time);
// The same zone, so much later.
DatumTime Moved(const DatumTime& time, int64_t nanos);

std::string FormatTime(std::string_view layout, const DatumTime& time);

}  // namespace agent
