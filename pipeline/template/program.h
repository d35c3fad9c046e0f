// The common templates without a tree: texts and values one after the other, each value perhaps in
// another case or trimmed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/template/ast.h"
#include "pipeline/template/template.h"

namespace agent {

class TemplateProgram {
 public:
  // nullopt for a template that needs more than this.
  static std::optional<TemplateProgram> Compile(const TemplateTree& tree);

  // As Executor::Run; allocates nothing beyond the growth of `out`.
  bool Run(TemplateData& data, std::string& out) const;

 private:
  enum class Change : uint8_t { kNone, kLower, kUpper, kTrimSpace };
  struct Step {
    std::string text;
    std::size_t data_index = kNoIndex;  // kNoIndex: the step is its text.
    Change change = Change::kNone;
  };

  static bool AddPipe(const Node& pipe, Step& step);
  static bool AddFunction(const Node& name, Step& step);

  std::vector<Step> steps_;
};

}  // namespace agent
