// What `relabel_configs` do: they change a target's labels, or drop it. The same rules serve
// sources that label single entries.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/labels.h"
#include "base/result.h"
#include "discovery/relabel_rule.h"

namespace agent {

// "replace", "keepequal" and so on, as in the configuration.
std::string_view RelabelActionName(RelabelAction action);

struct RelabelProblem {
  std::string_view field;  // "regex", "target_label", …
  std::string message;
  std::string hint;  // May be empty.
  // Where in the value of `regex`, in bytes; length 0: all of it.
  std::size_t position = 0;
  std::size_t length = 0;
};

// The first thing that is wrong with the rule: an expression that does not compile, a field that
// its action needs, or cannot have.
std::optional<RelabelProblem> CheckRelabelRule(const RelabelRule& rule);

// Rules compiled once. Immutable; any number of threads may apply them at once.
class Relabeling {
 public:
  // kInvalid, naming the rule, when one does not pass CheckRelabelRule.
  static Result<std::unique_ptr<Relabeling>> Compile(const std::vector<RelabelRule>& rules);
  Relabeling(const Relabeling&) = delete;
  Relabeling& operator=(const Relabeling&) = delete;
  ~Relabeling();

  // Applies the rules in order. Labels with an empty value count as absent and are removed. Returns
  // the index of the rule that dropped the target, where later rules have not been applied;
  // nullopt: kept.
  std::optional<std::size_t> Apply(Labels& labels) const;

  // "relabel_configs[2] (action keep)".
  [[nodiscard]] std::string Describe(std::size_t rule) const;

 private:
  class Rule;
  Relabeling();

  std::vector<std::unique_ptr<Rule>> rules_;
};

}  // namespace agent
