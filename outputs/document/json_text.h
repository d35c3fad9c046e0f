// Texts as JSON, appended to a buffer.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/value.h"
#include "outputs/growing_buffer.h"

namespace agent {

// With its quotes. Each byte that is no UTF-8 becomes U+FFFD.
void AppendJsonString(GrowingBuffer& to, std::string_view text);
std::string JsonString(std::string_view text);

void AppendJsonInteger(GrowingBuffer& to, int64_t number);
// With a decimal point or an exponent, so that a receiver that learns types from what comes first
// learns a number with a fraction. What JSON has no number for becomes null.
void AppendJsonDouble(GrowingBuffer& to, double number);
// As its type has it.
void AppendJsonValue(GrowingBuffer& to, const Value& value);

// "2024-05-01T10:00:00.123456789Z" with its quotes; always nine digits.
void AppendJsonTime(GrowingBuffer& to, int64_t unix_ns);

}  // namespace agent
