// A set of names and values, sorted by name: what describes a target, and what names a stream.

#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

struct Label {
  std::string name;
  std::string value;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the comparisons made from it.
  auto operator<=>(const Label&) const = default;
};

class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<Label> labels);

  // Replaces the value when the name is there. An empty value is a value.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);
  // Null when absent. Valid until the next change.
  [[nodiscard]] const std::string* Find(std::string_view name) const;
  // Empty when absent.
  [[nodiscard]] std::string_view Value(std::string_view name) const;
  [[nodiscard]] bool Has(std::string_view name) const { return Find(name) != nullptr; }

  [[nodiscard]] std::size_t size() const { return labels_.size(); }
  [[nodiscard]] bool empty() const { return labels_.empty(); }
  [[nodiscard]] auto begin() const { return labels_.begin(); }
  [[nodiscard]] auto end() const { return labels_.end(); }

  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<Label> labels_;
};

// `{a="1", b="2"}` with values in Go's quoted form: how Loki and Promtail write a stream.
std::string FormatLabels(const Labels& labels);

// `[a-zA-Z_][a-zA-Z0-9_]*`.
bool IsValidLabelName(std::string_view name);

}  // namespace agent
