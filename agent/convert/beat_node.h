// Filebeat's configuration as a tree: dotted names are taken apart ("json.keys_under_root" is a key
// below `json`), variables are marked, and each value knows whether somebody has used it, so that
// nothing can be dropped in silence.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/convert/finding.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"

namespace agent::convert {

class BeatNode {
 public:
  // What was "${NAME:default}" is marked as yaml_out.h has it.
  static BeatNode From(const ConfigNode& root, Findings& findings);

  // By a name that may have dots. Null where there is nothing, or null. Does not count as use.
  [[nodiscard]] const BeatNode* Find(std::string_view path) const;

  // The text of a scalar, the default where it is not there; counts as use.
  [[nodiscard]] std::string Text(std::string_view path, std::string_view default_value = {}) const;
  [[nodiscard]] bool Bool(std::string_view path, bool default_value) const;
  // Items of a list of texts; one text counts as a list of one.
  [[nodiscard]] std::vector<std::string> Texts(std::string_view path) const;
  [[nodiscard]] bool Has(std::string_view path) const { return Find(path) != nullptr; }
  // This and everything below it is taken care of.
  void UseAll() const;
  void UseAll(std::string_view path) const;
  void Use() const { used_ = true; }

  // Leaves below this, by names with dots ("kubernetes.labels.app").
  using Leaf = std::function<void(const std::string& path, const BeatNode& value)>;
  void ForEachLeaf(const Leaf& visit) const;

  // Values that nobody has used: reported where they begin.
  void ReportUnused(Findings& findings) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const Place& place() const { return place_; }  // Of the key.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_scalar() const { return is_scalar_; }
  [[nodiscard]] bool is_quoted() const { return is_quoted_; }
  [[nodiscard]] const std::vector<BeatNode>& below() const { return below_; }  // Of a map.
  [[nodiscard]] const std::vector<BeatNode>& items() const { return items_; }

 private:
  friend class BeatReader;

  [[nodiscard]] bool AnyUsed() const;
  void ForEachLeafBelow(const std::string& path, const Leaf& visit) const;

  std::string name_;
  std::string path_;
  Place place_;
  bool is_scalar_ = false;
  bool is_quoted_ = false;
  std::string text_;
  std::vector<BeatNode> below_;
  std::vector<BeatNode> items_;
  mutable bool used_ = false;
};

}  // namespace agent::convert
