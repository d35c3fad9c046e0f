#include "agent/tail/rotation_names.h"

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("rotation names: what looks like a rotation", "[tail]") {
  struct Case {
    const char* base;
    const char* name;
    bool want;
  };
  const auto c = GENERATE(values<Case>({
      {"app.log", "app.log.1", true},
      {"app.log", "app.log.10.gz", true},
      {"app.log", "app.log-20260504", true},
      {"app.log", "app.log-20260504-1777900000.gz", true},
      {"app.log", "app.log.2026-05-04T10:11:12Z", true},
      {"app.log", "app.log.old", true},
      {"app.log", "app.log~", true},
      {"app.log", "app.log.gz", true},
      {"app.log", "app-1.log", true},
      {"app.log", "app-2026-05-04.log", true},
      {"app.log", "app.1.log", true},
      {"app.log", "app_2026-05-04_10.log.gz", true},
      {"0.log", "0.log.20260504-101112", true},
      {"app.log", "app.log", false},
      {"app.log", "app.logs", false},
      {"app.log", "app.log.swp", false},
      {"app.log", "application.log", false},
      {"app.log", "app-access.log", false},
      {"app.log", "other.log.1", false},
      {"1.log", "2.log", false},
      {"1.log", "10.log", false},
      {"", "app.log", false},
  }));
  INFO(c.base << " " << c.name);
  CHECK(IsRotatedName(c.base, c.name) == c.want);
}

}  // namespace
}  // namespace agent
