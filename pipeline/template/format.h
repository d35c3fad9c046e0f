// Values as text: Go's fmt package.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pipeline/template/datum.h"

namespace agent {

// Nothing is written beyond this many bytes of output; whoever cares sees it by the size.
constexpr std::size_t kMaxFormattedBytes = std::size_t{1} << 20;

// As %v. Nil is "<nil>".
void AppendDatum(const Datum& datum, std::string& out);
std::string DatumText(const Datum& datum);

// fmt.Sprint: a space between two operands neither of which is a string.
void AppendPrint(std::span<const Datum> operands, std::string& out);
// fmt.Sprintln without the line break.
void AppendPrintLine(std::span<const Datum> operands, std::string& out);
// fmt.Sprintf, its complaints about wrong verbs included.
void AppendPrintf(std::string_view format, std::span<const Datum> operands, std::string& out);

// The forms of strconv.FormatFloat: 'e', 'f' or 'g', precision -1 for the shortest that reads back.
void AppendFloatText(double value, char form, int precision, std::string& out);

}  // namespace agent
