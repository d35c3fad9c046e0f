// A configuration that is being made: a tree of YAML with comments, in the order in which it is
// put together.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent::convert {

// Marks what "${" and "}" of a variable become; everything else in a text is meant as it stands.
inline constexpr char kVariableBegin = '\x01';
inline constexpr char kVariableEnd = '\x02';

class YamlOut {
 public:
  using Pair = std::pair<std::string, YamlOut>;

  YamlOut() = default;  // An empty map.
  // A string, quoted where YAML would take it for something else.
  static YamlOut Text(std::string_view text);
  // As it is: a number, a boolean, a duration.
  static YamlOut Word(std::string_view word);
  static YamlOut Bool(bool value) { return Word(value ? "true" : "false"); }
  static YamlOut List();
  static YamlOut Texts(const std::vector<std::string>& texts);
  static YamlOut Map(std::vector<Pair> pairs);

  // The value of a key, made when it is not there.
  YamlOut& operator[](std::string_view key);
  void Put(std::string_view key, YamlOut value) { (*this)[key] = std::move(value); }
  // An item of a list.
  YamlOut& Add(YamlOut item);
  // A line above it, without its '#'.
  YamlOut& Comment(std::string_view line);

  [[nodiscard]] bool empty() const { return pairs_.empty() && items_.empty() && text_.empty(); }
  [[nodiscard]] bool Has(std::string_view key) const;
  [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }
  [[nodiscard]] std::vector<YamlOut>& items() { return items_; }
  [[nodiscard]] bool HasVariables() const;

  // Of a map: its keys, an empty line between sections. With `expanded`, as it must be written
  // where -config.expand-env is on.
  [[nodiscard]] std::string Print(bool expanded) const;

  friend bool operator==(const YamlOut& a, const YamlOut& b) = default;

 private:
  enum class Kind : uint8_t { kMap, kList, kText, kWord };
  class Printer;

  Kind kind_ = Kind::kMap;
  std::string text_;
  std::vector<Pair> pairs_;
  std::vector<YamlOut> items_;
  std::vector<std::string> comments_;
};

}  // namespace agent::convert
