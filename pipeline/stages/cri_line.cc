#include "pipeline/stages/cri_line.h"

#include <cstring>

namespace agent {
namespace {

constexpr std::size_t kStreamLength = 6;  // Of "stdout" and of "stderr".

// Cuts the word up to the next space off `rest`, and the space. False when there is no space, or
// the word is empty or has other white space (ASCII's) in it.
bool CutWord(std::string_view& rest, std::string_view& word) {
  if (rest.empty()) return false;
  const auto* space = static_cast<const char*>(std::memchr(rest.data(), ' ', rest.size()));
  if (space == nullptr) return false;
  word = rest.substr(0, static_cast<std::size_t>(space - rest.data()));
  rest.remove_prefix(word.size() + 1);
  bool blank = false;
  for (const char c : word)
    blank |= c == '\t' || c == '\n' || c == '\f' || c == '\r';
  return !word.empty() && !blank;
}

}  // namespace

std::optional<CriLine> ParseCriLine(std::string_view line) {
  CriLine parts;
  if (!CutWord(line, parts.time)) return std::nullopt;
  if (!line.starts_with("stdout ") && !line.starts_with("stderr ")) return std::nullopt;
  parts.stream = line.substr(0, kStreamLength);
  line.remove_prefix(kStreamLength + 1);
  if (!CutWord(line, parts.flags)) return std::nullopt;
  parts.content = line;
  return parts;
}

}  // namespace agent
