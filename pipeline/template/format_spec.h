// One verb of a format and how a value is written by it.

#pragma once

#include <string>
#include <string_view>

#include "pipeline/template/datum.h"

namespace agent {

struct FormatSpec {
  char32_t verb = 'v';
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool go_syntax = false;  // %#v
  int width = -1;          // None.
  int precision = -1;      // None.
};

void AppendBySpec(const Datum& datum, const FormatSpec& spec, std::string& out, int depth = 0);

// `text` padded to the width.
void AppendPadded(std::string_view text, const FormatSpec& spec, std::string& out);
void AppendIntegerBySpec(int64_t value, const FormatSpec& spec, std::string& out);
void AppendFloatBySpec(double value, const FormatSpec& spec, std::string& out);
void AppendStringBySpec(std::string_view text, const FormatSpec& spec, std::string& out);

}  // namespace agent
