// Text forms that must equal Go's, because Promtail's output and configuration use them.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace agent {

// Appends `text` in double quotes as Go's strconv.Quote writes it: \" \\ \a \b \f \n \r \t \v, \xNN
// for invalid bytes and other control characters, \u for what Go calls unprintable; other UTF-8 as
// it is.
void AppendGoQuoted(std::string_view text, std::string& out);
// strconv.QuoteToASCII: every rune beyond ASCII as \u or \U.
void AppendGoQuotedToAscii(std::string_view text, std::string& out);

// Shortest decimal that reads back to the same double, never an exponent (strconv 'f', -1).
// Infinities and NaN as Go writes them: +Inf, -Inf, NaN.
void AppendGoFloat(double value, std::string& out);
// Shortest decimal with an exponent below 1e-4 and from 1e6 on (strconv 'g', -1): "1e+06".
void AppendGoShortest(double value, std::string& out);

// Go's time.ParseDuration: "1h30m", "-1.5s", "300ms"; "0" needs no unit. The message of the error
// says what is expected.
Result<std::chrono::nanoseconds> ParseGoDuration(std::string_view text);
// As Go's Duration.String(): "1m30s", "500ms", "0s".
std::string FormatGoDuration(std::chrono::nanoseconds duration);

// Prometheus form: "1d", "2w", "1h30m", "500ms"; whole numbers only.
Result<std::chrono::nanoseconds> ParsePrometheusDuration(std::string_view text);
// A whole number of milliseconds in that form; what is beyond them is left out.
std::string FormatPrometheusDuration(std::chrono::nanoseconds duration);

// Sizes in bytes: a bare integer, or an integer with B, K, KB, KiB, M, MB, MiB … (multiples of
// 1024, any case).
Result<uint64_t> ParseSize(std::string_view text);

// Go's strconv.ParseFloat(text, 64): decimal, hexadecimal with an exponent, inf, infinity, nan;
// underscores between digits.
Result<double> ParseGoFloat(std::string_view text);

}  // namespace agent
