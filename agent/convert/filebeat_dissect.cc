// The tokenizer of `dissect` ("%{client} - %{+ts} [%{level}]") as an expression of grok.

#include <algorithm>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

struct Key {
  std::string name;  // Empty: skipped.
  std::string type;
  bool padded = false;
};

// Nullopt for what grok has not: "%{+append}", "%{*key}", "%{&value}", "%{fixed#4}".
std::optional<Key> ReadKey(std::string_view text) {
  Key key;
  if (text.ends_with("->")) {
    key.padded = true;
    text.remove_suffix(2);
  }
  const std::size_t bar = text.find('|');
  if (bar != std::string_view::npos) {
    key.type = text.substr(bar + 1);
    text = text.substr(0, bar);
    if (key.type == "integer" || key.type == "long") key.type = "int";
    if (key.type == "double") key.type = "float";
    if (key.type == "boolean") key.type = "bool";
    if (key.type != "int" && key.type != "float" && key.type != "bool" && key.type != "string") {
      return std::nullopt;
    }
  }
  if (text.starts_with('?')) text = {};
  if (text.find_first_of("+*&#/?%{}[]: ") != std::string_view::npos) return std::nullopt;
  key.name = text;
  return key;
}

std::string Reference(const std::string& field) {
  std::string reference = "[";
  for (const char c : field)
    reference += c == '.' ? "][" : std::string(1, c);
  return reference + ']';
}

}  // namespace

std::string GrokOfDissect(std::string_view tokenizer, std::string_view prefix,
                          std::vector<std::string>& fields) {
  std::string expression = "^";
  bool padded = false;
  while (!tokenizer.empty()) {
    const std::size_t begin = std::min(tokenizer.find("%{"), tokenizer.size());
    const std::string delimiter = QuoteExpression(tokenizer.substr(0, begin));
    expression += padded && begin > 0 ? "(?:" + delimiter + ")+" : delimiter;
    if (begin == tokenizer.size()) break;
    const std::size_t end = tokenizer.find('}', begin);
    if (end == std::string_view::npos) return "";
    const auto key = ReadKey(tokenizer.substr(begin + 2, end - begin - 2));
    if (!key) return "";
    tokenizer.remove_prefix(end + 1);
    // The last one has what is left.
    const std::string pattern = tokenizer.empty() ? "GREEDYDATA" : "DATA";
    expression += "%{" + pattern;
    if (!key->name.empty()) {
      const std::string field = (prefix.empty() ? "" : std::string(prefix) + '.') + key->name;
      fields.push_back(field);
      expression += ':' + Reference(field) + (key->type.empty() ? "" : ':' + key->type);
    }
    expression += '}';
    padded = key->padded;
  }
  return fields.empty() ? "" : expression + '$';
}

}  // namespace agent::convert
