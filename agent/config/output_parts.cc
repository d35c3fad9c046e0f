// What the sections of several outputs have in common.

#include <initializer_list>
#include <string>
#include <string_view>

#include "agent/config/sections.h"

namespace agent {

std::string NameUsed(FieldReader& fields, std::initializer_list<std::string_view> names) {
  std::string used;
  for (const std::string_view name : names) {
    if (!fields.Has(name)) continue;
    if (!used.empty()) {
      fields.Node(name);
      fields.Error(name, "is another name of " + used + ": give one of the two");
    } else {
      used = name;
    }
  }
  return used.empty() ? std::string(*names.begin()) : used;
}

void ReadOutputBackoff(FieldReader& parent, BackoffConfig& backoff) {
  const ConfigNode* const node = parent.Node("backoff");
  if (node == nullptr || node->is_null()) return;
  FieldReader fields(*node, parent.PathOf("backoff"), parent.problems());
  const std::string min = NameUsed(fields, {"min_period", "init"});
  backoff.min_period = fields.Duration(min, backoff.min_period);
  const std::string max = NameUsed(fields, {"max_period", "max"});
  backoff.max_period = fields.Duration(max, backoff.max_period);
  if (backoff.min_period.count() == 0) fields.Error(min, "must be more than 0");
  if (backoff.max_period < backoff.min_period) fields.Error(max, max + " is below " + min);
  fields.Finish();
}

}  // namespace agent
