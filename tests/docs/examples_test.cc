// The pieces of configuration that the pages show are right: each loads without an error.

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/loader.h"
#include "agent/docs/markdown.h"
#include "agent/docs/pages.h"
#include "agent/stage_check.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

// What stands around a piece that begins with this key.
struct Frame {
  std::string_view key;
  std::string_view before;
  std::size_t indentation;
};
constexpr std::array kFrames = std::to_array<Frame>({
    {"elasticsearch", "outputs:\n  - name: shown\n", 4},
    {"relabel_configs",
     "scrape_configs:\n  - job_name: a\n    static_configs: [{labels: {__path__: /x}}]\n", 4},
    {"tls_config", "clients:\n  - url: http://loki/push\n", 4},
});
// Examples of stages are tests of their own.
constexpr std::array<std::string_view, 5> kPages = {"README.md", "agent/README.md",
                                                    "discovery/README.md", "pipeline/README.md",
                                                    "outputs/README.md"};

// The keys that stand at the beginning of lines.
std::vector<std::string> TopKeys(const std::string& text) {
  std::vector<std::string> keys;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    const bool at_top = !line.empty() && line[0] != ' ' && line[0] != '#' && line[0] != '-';
    if (at_top && colon != std::string::npos) keys.push_back(line.substr(0, colon));
  }
  return keys;
}

bool Has(const std::vector<std::string>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// A whole configuration around the piece; empty when it is a file of another kind: tests, targets.
std::string Framed(const std::string& example) {
  const std::vector<std::string> keys = TopKeys(example);
  if (keys.empty() || Has(keys, "tests") || Has(keys, "lines")) return {};
  std::string text = example;
  for (const Frame& frame : kFrames) {
    if (keys.front() != frame.key) continue;
    text = frame.before;
    std::istringstream lines(example);
    for (std::string line; std::getline(lines, line);)
      text += std::string(frame.indentation, ' ') + line + "\n";
  }
  const std::vector<std::string> all = TopKeys(text);
  if (!Has(all, "clients") && !Has(all, "outputs")) {
    // Outputs that jobs name.
    text +=
        "\nclients: [{name: main, url: http://a/b}, {name: search, url: http://c/d},"
        " {name: stash, url: http://e/f}]\n";
  }
  return text;
}

}  // namespace

TEST_CASE("reference: the pieces of configuration on the pages load", "[docs]") {
  std::size_t count = 0;
  for (const docs::Page& page : docs::AllPages()) {
    if (std::find(kPages.begin(), kPages.end(), page.path) == kPages.end()) continue;
    for (const docs::Block& block : docs::ParseMarkdown(page.text)) {
      if (block.kind != docs::BlockKind::kCode || block.language != "yaml") continue;
      const std::string text = Framed(block.text);
      if (text.empty()) continue;
      ++count;
      Flags flags;
      const auto environment = [](const std::string&) { return std::optional<std::string>("x"); };
      const LoadedConfig loaded = LoadConfigText("", text, flags, CheckStages, environment);
      INFO(page.path << ":" << block.line << "\n" << loaded.problems.Format(/*color=*/false));
      CHECK_FALSE(loaded.problems.has_errors());
    }
  }
  CHECK(count > 25);
}

}  // namespace agent
