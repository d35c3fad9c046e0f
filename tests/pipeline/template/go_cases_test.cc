// go_cases.tsv holds templates and what Go's text/template with Promtail's functions makes of them:
// "OK" and the text, "XERR" when execution fails, "CERR" when it does not compile.

#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "base/go_format.h"
#include "pipeline/template/literals.h"
#include "pipeline/template/template.h"
#include "tests/pipeline/template/map_data.h"
#include "tests/support/fake_clock.h"

// Comes last: its CHECK takes the place of ours.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

std::string Verdict(const std::string& text) {
  FakeClock clock;
  Result<Template> compiled = Template::Compile(text, clock);
  if (!compiled.ok()) return "CERR";
  MapData data(*compiled, {{"Value", "Hello World"},
                           {"Entry", "level=info msg=\"foo bar\" n=12"},
                           {"a", "alpha"},
                           {"num", "42"},
                           {"f", "3.75"},
                           {"empty", ""},
                           {"uni", "Gr\u00fc\u00dfe \u00c0\u00c9 \u00df"},
                           {"json", R"({"a":[1,2.5,"x",null,true],"b":{"c":"d<e>"},"big":1e21})"},
                           {"log-level", "warn"}});
  std::string out;
  if (!compiled->Execute(data, out)) return "XERR";
  std::string verdict = "OK ";
  AppendGoQuoted(out, verdict);
  return verdict;
}

TEST_CASE("template: renders what Go renders", "[template]") {
  std::ifstream cases(GO_CASES);
  REQUIRE(cases.good());
  std::string line;
  int count = 0;
  while (std::getline(cases, line)) {
    const std::size_t tab = line.find('\t');
    REQUIRE(tab != std::string::npos);
    const std::optional<std::string> text = ParseStringLiteral(line.substr(0, tab));
    REQUIRE(text);
    INFO(*text);
    CHECK(Verdict(*text) == line.substr(tab + 1));
    ++count;
  }
  CHECK(count > 500);
}

}  // namespace
}  // namespace agent
