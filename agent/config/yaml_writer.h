// Writes YAML in block style.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/config/yaml.h"

namespace agent {

class YamlWriter {
 public:
  // "key: text", quoted where YAML would take it for something else.
  void Text(std::string_view key, std::string_view text);
  // "key: word", as it is: numbers, booleans, durations, "[]".
  void Word(std::string_view key, std::string_view word);
  void Bool(std::string_view key, bool value) { Word(key, value ? "true" : "false"); }
  // "key: <secret>", or nothing when there is none.
  void Secret(std::string_view key, std::string_view text);
  // Like Text(), or nothing when it is empty.
  void OptionalText(std::string_view key, std::string_view text);

  void BeginMap(std::string_view key);
  void EndMap() { indent_ -= kStep; }
  // What is written between BeginItem and EndItem is one map of the list.
  void BeginList(std::string_view key);
  void EndList() { indent_ -= kStep; }
  void BeginItem();
  void EndItem() { indent_ -= kStep; }
  // An item of a list that is a text.
  void Item(std::string_view text);

  // "key:" and a part of a configuration, without the key of a redact stage.
  void Node(std::string_view key, const ConfigNode& node);

  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  static constexpr std::size_t kStep = 2;

  void Indent();
  void Key(std::string_view key);
  void Children(const ConfigNode& node, bool is_redact);

  std::string out_;
  std::size_t indent_ = 0;
  bool after_dash_ = false;  // The next line goes behind "- ".
};

// As YAML reads it back: plain where that is possible, else in quotes.
std::string QuotedYaml(std::string_view text);

}  // namespace agent
