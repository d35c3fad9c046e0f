#include "agent/pipeline_test/test_entry.h"

#include <cmath>

#include "base/config/scalars.h"
#include "base/go_format.h"
#include "base/utf8.h"

namespace agent {
namespace {

// "\x1b": two, four or eight digits.
std::string HexEscape(std::string_view prefix, uint32_t value, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(prefix);
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += kDigits[(value >> shift) & 0xFU];
  return out;
}

// Controls, and what nobody sees in an editor.
bool IsHidden(char32_t rune) {
  return rune < 0x20 || (rune >= 0x7F && rune <= 0xA0) || (rune >= 0x200B && rune <= 0x200F) ||
         (rune >= 0x2028 && rune <= 0x202E) || (rune >= 0x2060 && rune <= 0x206F) ||
         rune == 0xFEFF || (rune >= 0xFFF0 && rune <= 0xFFFB) || rune > 0xFFFFF;
}

std::string HiddenRune(char32_t rune) {
  switch (rune) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  if (rune <= 0xFF) return HexEscape("\\x", rune, 2);
  return rune <= 0xFFFF ? HexEscape("\\u", rune, 4) : HexEscape("\\U", rune, 8);
}

// As it is printed: no leading zeros, no underscores.
bool IsPlainInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text[0] != '0');
}

std::string ValueText(Block& block, const Value& value) {
  switch (value.type()) {
    case ValueType::kString:
      return YamlQuoted(value.text());
    case ValueType::kNumber:
      return YamlNumber(value.number());
    case ValueType::kInteger:
      return std::to_string(value.integer());
    case ValueType::kBool:
      return std::string(*block.Text(value));
    case ValueType::kNull:
    case ValueType::kAbsent:
      break;
  }
  return "null";
}

}  // namespace

std::string YamlQuoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const DecodedRune rune = DecodeRune(text);
    if (!rune.valid) {
      out += HexEscape("\\x", static_cast<unsigned char>(text[0]), 2);
    } else if (rune.rune == '"' || rune.rune == '\\') {
      out += '\\';
      out += text[0];
    } else if (IsHidden(rune.rune)) {
      out += HiddenRune(rune.rune);
    } else {
      out += text.substr(0, rune.size);
    }
    text.remove_prefix(rune.size);
  }
  return out + "\"";
}

std::string YamlText(std::string_view text) {
  const bool needs_escapes = text.find_first_of("\"\\") != std::string_view::npos;
  if (!needs_escapes || text.find('\'') != std::string_view::npos) return YamlQuoted(text);
  for (std::string_view rest = text; !rest.empty();) {
    const DecodedRune rune = DecodeRune(rest);
    if (!rune.valid || IsHidden(rune.rune)) return YamlQuoted(text);
    rest.remove_prefix(rune.size);
  }
  return "'" + std::string(text) + "'";
}

std::string YamlNumber(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::string out;
  AppendGoFloat(value, out);
  return out;
}

std::string YamlValueOf(const ConfigNode& node) {
  if (node.is_null()) return "null";
  if (node.IsBool()) return *ParseYamlBool(node.text()) ? "true" : "false";
  // An integer has all its digits; other forms of numbers are compared as doubles.
  if (node.IsNumber() && IsPlainInteger(node.text())) return node.text();
  if (node.IsNumber()) {
    if (const auto number = ParseYamlFloat(node.text())) return YamlNumber(*number);
  }
  return YamlQuoted(node.text());
}

TestEntry TestEntryOf(Block& block, EntryIndex entry, const Labels& start) {
  const Entry view = block.View(entry);
  TestEntry out;
  out.line = view.line;
  out.timestamp_ns = view.timestamp_ns;
  for (const Label& label : block.label_sets().Get(view.labels))
    out.labels[label.name] = YamlQuoted(label.value);
  for (const Metadata& pair : view.metadata)
    out.structured_metadata[std::string(pair.name)] = YamlQuoted(pair.value);
  block.ForEachExtracted(entry, [&](std::string_view name, const Value& value) {
    std::string text = ValueText(block, value);
    const std::string* const label = start.Find(name);
    if (label == nullptr || YamlQuoted(*label) != text) {
      out.extracted[std::string(name)] = std::move(text);
    }
  });
  return out;
}

}  // namespace agent
