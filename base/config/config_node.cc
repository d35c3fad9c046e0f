// What a node of the tree knows of itself: its kind, and what YAML 1.1 takes its text for.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/config/yaml.h"

namespace agent {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Removes and counts what stands at the front of `text`, underscores included.
template <typename Predicate>
std::size_t Take(std::string_view& text, Predicate is_digit) {
  std::size_t count = 0;
  while (count < text.size() && (is_digit(text[count]) || (count > 0 && text[count] == '_'))) {
    ++count;
  }
  text.remove_prefix(count);
  return count;
}

bool IsPrefixedInteger(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return false;
  const char base = text[1];
  text.remove_prefix(2);
  if (base == 'x') {
    Take(text, [](char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); });
    return text.empty();
  }
  if (base == 'b') {
    Take(text, [](char c) { return c == '0' || c == '1'; });
    return text.empty();
  }
  if (base == 'o') {
    Take(text, [](char c) { return c >= '0' && c <= '7'; });
    return text.empty();
  }
  return false;
}

bool IsDecimal(std::string_view text) {
  const std::size_t whole = Take(text, IsDigit);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = Take(text, IsDigit);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (Lower(text[0]) != 'e') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return Take(text, IsDigit) > 0 && text.empty();
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

}  // namespace

Place ConfigNode::PlaceWithin(std::size_t position, std::size_t length) const {
  Place place = place_;
  // Escapes in "..." and '' in '...' shift what follows: then the whole value is underlined.
  const bool as_written = !quoted_ || (single_quoted_ && text_.find('\'') == std::string::npos);
  if (as_written && length > 0 && text_.find('\n') == std::string::npos) {
    place.column += static_cast<uint32_t>(position + (quoted_ ? 1 : 0));
    place.length = static_cast<uint32_t>(length);
  }
  return place;
}

const ConfigNode* ConfigNode::Find(std::string_view key) const {
  for (const Pair& pair : pairs_) {
    if (pair.first.text_ == key) return &pair.second;
  }
  return nullptr;
}

bool ConfigNode::IsBool() const {
  static constexpr std::array<std::string_view, 8> kWords = {"y",  "n",   "yes",  "no",
                                                             "on", "off", "true", "false"};
  if (!is_scalar() || quoted_ || text_.size() > 5) return false;
  return std::find(kWords.begin(), kWords.end(), LowerCase(text_)) != kWords.end();
}

bool ConfigNode::IsNumber() const {
  if (!is_scalar() || quoted_) return false;
  std::string_view text = text_;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text.empty()) return false;
  const std::string lower = LowerCase(text);
  if (lower == ".inf" || lower == ".nan") return true;
  return IsPrefixedInteger(text) || IsDecimal(text);
}

std::string_view ConfigNode::KindName() const {
  switch (kind_) {
    case Kind::kNull:
      return "nothing";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kScalar:
      break;
  }
  if (IsBool()) return "true or false";
  return IsNumber() ? "a number" : "a string";
}

}  // namespace agent
