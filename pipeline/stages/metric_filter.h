// Which entries a metric counts: `level == "error"`.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pipeline/block.h"
#include "pipeline/regex/regex.h"
#include "pipeline/slots.h"

namespace agent {

class MetricFilter {
 public:
  // An extracted name, one of ==, =, !=, =~, !~, and a text in quotes or a bare word. =~ and !~
  // take an expression that must match the whole text. kInvalid with what is wrong.
  static Result<MetricFilter> Parse(std::string_view text, SlotTable& slots);

  // A value that is absent or null is the empty text.
  [[nodiscard]] bool Selects(Block& block, EntryIndex entry) const;

 private:
  Slot slot_ = 0;
  bool negated_ = false;
  std::string value_;
  std::unique_ptr<GoRegex> regex_;  // Null: compared with value_.
};

}  // namespace agent
