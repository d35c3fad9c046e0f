#include "base/config/problems.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {
namespace {

constexpr std::size_t kMaxProblems = 1000;   // Kept; nobody reads more.
constexpr std::size_t kMaxShownBytes = 160;  // Of a source line.
constexpr std::size_t kNumberWidth = 5;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

std::vector<std::string> SplitLines(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
  }
  return lines;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Control characters would let a configuration write to the terminal.
std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  }
  return out;
}

// The part of a long line that has the `column` (from 0) in it, which is made relative to that
// part.
std::string_view Window(std::string_view line, std::size_t& column) {
  if (line.size() <= kMaxShownBytes) return line;
  // Not within a character; more continuation bytes than this are no UTF-8 anyway.
  constexpr std::size_t kMaxContinuation = 3;
  std::size_t begin = column > kMaxShownBytes / 2 ? column - kMaxShownBytes / 2 : 0;
  for (std::size_t i = 0; i < kMaxContinuation && begin > 0 && IsContinuation(line[begin]); ++i) {
    --begin;
  }
  std::size_t end = std::min(line.size(), begin + kMaxShownBytes);
  for (std::size_t i = 0; i < kMaxContinuation && end < line.size() && IsContinuation(line[end]);
       ++i) {
    ++end;
  }
  column -= begin;
  return line.substr(begin, end - begin);
}

// Room for the text before the caret, as wide as that text.
std::string Indent(std::string_view before) {
  std::string indent;
  for (const char c : before) {
    if (c == '\t') {
      indent += '\t';
    } else if (!IsContinuation(c)) {
      indent += ' ';
    }
  }
  return indent;
}

std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string_view Paint(std::string_view code, bool color) {
  return color ? code : std::string_view();
}

}  // namespace

Problems::Problems(std::string file, std::string_view text)
    : file_(std::move(file)), lines_(SplitLines(text)) {}

Place Problems::Original(const Place& place) const {
  return original_ && place.line > 0 ? original_(place) : place;
}

void Problems::Add(Problem problem) {
  const bool error = problem.severity == Severity::kError;
  // Beyond the limit only the first error still matters.
  if (problems_.size() >= kMaxProblems && (!error || errors_ > 0)) return;
  problem.place = Original(problem.place);
  problems_.push_back(std::move(problem));
  if (error) ++errors_;
}

void Problems::Error(const Place& place, std::string path, std::string message, std::string hint) {
  Add({Severity::kError, place, std::move(path), std::move(message), std::move(hint)});
}

void Problems::Warning(const Place& place, std::string path, std::string message,
                       std::string hint) {
  Add({Severity::kWarning, place, std::move(path), std::move(message), std::move(hint)});
}

void Problems::AppendSource(const Problem& problem, bool color, std::string& out) const {
  const Place& place = problem.place;
  const std::string margin(kNumberWidth, ' ');
  if (place.line == 0 || place.line > lines_.size()) {
    if (!problem.hint.empty()) out += margin + "   " + problem.hint + "\n";
    return;
  }
  const std::string& line = lines_[place.line - 1];
  std::size_t column = std::min<std::size_t>(place.column == 0 ? 0 : place.column - 1, line.size());
  const std::string_view shown = Window(line, column);
  std::string number = std::to_string(place.line);
  if (number.size() < kNumberWidth) number.insert(0, kNumberWidth - number.size(), ' ');
  out += number + " | " + Printable(shown) + "\n";

  const std::size_t marked = std::max<std::size_t>(1, Width(shown.substr(column, place.length)));
  const bool error = problem.severity == Severity::kError;
  out += margin + " | " + Indent(shown.substr(0, column));
  out += Paint(error ? kRed : kYellow, color);
  out += '^';
  out.append(marked - 1, '~');
  out += Paint(kPlain, color);
  if (!problem.hint.empty()) out += " " + problem.hint;
  out += '\n';
}

std::string Problems::Format(bool color) const {
  std::vector<const Problem*> sorted;
  sorted.reserve(problems_.size());
  for (const Problem& problem : problems_)
    sorted.push_back(&problem);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem* a, const Problem* b) {
    return std::pair(a->place.line, a->place.column) < std::pair(b->place.line, b->place.column);
  });
  std::string out;
  for (const Problem* problem : sorted) {
    const Place& place = problem->place;
    out += Paint(kBold, color);
    if (!file_.empty()) out += file_ + ":";
    if (place.line > 0) {
      out += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
    }
    out += Paint(kPlain, color);
    if (!out.empty() && out.back() != '\n') out += ' ';
    if (problem->severity == Severity::kWarning) {
      out += Paint(kYellow, color);
      out += "warning: ";
      out += Paint(kPlain, color);
    }
    if (!problem->path.empty()) out += Printable(problem->path) + ": ";
    out += Printable(problem->message) + "\n";
    AppendSource(*problem, color, out);
  }
  return out;
}

std::string Problems::FormatLine(const Problem& problem) const {
  std::string out;
  if (!file_.empty()) out += file_ + ":";
  if (problem.place.line > 0) {
    out += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ":";
  }
  if (!out.empty()) out += ' ';
  if (!problem.path.empty()) out += problem.path + ": ";
  out += problem.message;
  if (!problem.hint.empty()) out += "; " + problem.hint;
  return out;
}

}  // namespace agent
