// What Loki calls a stream: the text of its labels, and the tenant it belongs to.

#pragma once

#include <string>
#include <string_view>

#include "base/labels.h"

namespace agent {

struct StreamName {
  std::string text;       // `{a="1", b="2"}`.
  std::string tenant;     // Empty: none.
  bool refused = false;   // No label with a value: Loki would refuse it.
  bool repaired = false;  // A label name was not one that Loki takes.
};

// The stream of an entry with these labels: external labels underneath, `__tenant_id__` taken out
// and used as the tenant, names that Loki cannot parse repaired (a request with one is refused as a
// whole). Of two labels that get the same name the first in sorted order stays.
StreamName NameStream(const Labels& labels, const Labels& external, std::string_view tenant_id);

}  // namespace agent
