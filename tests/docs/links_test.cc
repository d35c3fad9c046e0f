// Links between the pages of the repository lead to something.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/docs/markdown.h"
#include "agent/docs/pages.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kFolders = {"deploy/", "discovery/", "examples/",
                                                      "pipeline/", "tests/"};

// All Markdown of the repository, but for what is built or hidden.
std::vector<fs::path> AllMarkdown() {
  std::vector<fs::path> files;
  const fs::path root = AGENT_SOURCE_DIR;
  for (fs::recursive_directory_iterator at(root), end; at != end; ++at) {
    const std::string name = at->path().filename().string();
    const bool skipped = name == "build" || (name.starts_with(".") && name != ".ci");
    if (at->is_directory() && skipped) at.disable_recursion_pending();
    if (at->path().extension() == ".md") files.push_back(at->path());
  }
  return files;
}

std::vector<docs::Block> ReadBlocks(const fs::path& path) {
  std::ifstream file(path);
  return docs::ParseMarkdown(std::string(std::istreambuf_iterator<char>(file), {}));
}

// What "#…" may say of a page.
std::set<std::string> Anchors(const fs::path& path) {
  std::set<std::string> anchors;
  std::map<std::string, int> times;
  for (const docs::Block& block : ReadBlocks(path)) {
    if (block.kind != docs::BlockKind::kHeading) continue;
    const std::string anchor = docs::HeadingAnchor(block.text);
    const int before = times[anchor]++;
    anchors.insert(before == 0 ? anchor : anchor + "-" + std::to_string(before));
  }
  return anchors;
}

std::vector<std::string> Targets(const docs::Block& block) {
  std::vector<std::string> texts = {block.text};
  if (block.kind == docs::BlockKind::kCode) texts.clear();
  for (const auto& row : block.rows)
    texts.insert(texts.end(), row.begin(), row.end());
  std::vector<std::string> targets;
  for (const std::string& text : texts) {
    for (const docs::Span& span : docs::ParseSpans(text)) {
      if (span.style == docs::SpanStyle::kLink) targets.push_back(span.target);
    }
  }
  return targets;
}

// Words that are paths from the root of the repository: `examples/nginx/agent.yaml`. Not those with
// something left open in them (`tests/pipelines/*.yaml`), nor those behind a path of another kind.
std::vector<std::string> NamedFiles(const docs::Block& block) {
  std::string text = block.kind == docs::BlockKind::kCode ? block.text : "";
  for (const std::string& code : docs::CodeSpans(block.text))
    text += code + " ";
  for (const auto& row : block.rows) {
    for (const std::string& cell : row) {
      for (const std::string& code : docs::CodeSpans(cell))
        text += code + " ";
    }
  }
  std::vector<std::string> files;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.starts_with("./")) word.erase(0, 2);
    while (!word.empty() && std::string_view(".,;:)").find(word.back()) != std::string_view::npos)
      word.pop_back();
    const bool ours = std::any_of(kFolders.begin(), kFolders.end(), [&word](std::string_view one) {
      return word.starts_with(one) && word.size() > one.size();
    });
    const bool plain = word.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_-./") == std::string::npos;
    if (ours && plain) files.push_back(std::move(word));
  }
  return files;
}

// What is wrong with it; empty when nothing.
std::string WrongLink(const fs::path& page, const std::string& target) {
  if (target.find("://") != std::string::npos) return {};
  const std::size_t hash = target.find('#');
  const std::string file = target.substr(0, hash);
  const fs::path path = file.empty() ? page : (page.parent_path() / file).lexically_normal();
  if (!fs::exists(path)) return "there is no " + path.lexically_relative(AGENT_SOURCE_DIR).string();
  if (hash == std::string::npos || path.extension() != ".md") return {};
  const std::string anchor = target.substr(hash + 1);
  return Anchors(path).contains(anchor) ? "" : "there is no heading #" + anchor;
}

}  // namespace

TEST_CASE("links: every link between pages leads to a file and a heading that are there",
          "[docs][links]") {
  std::vector<std::string> wrong;
  std::size_t count = 0;
  for (const fs::path& page : AllMarkdown()) {
    for (const docs::Block& block : ReadBlocks(page)) {
      for (const std::string& target : Targets(block)) {
        ++count;
        const std::string what = WrongLink(page, target);
        if (what.empty()) continue;
        std::string line = page.lexically_relative(AGENT_SOURCE_DIR).string();
        line += ":" + std::to_string(block.line);
        line.append(": ").append(target).append(": ").append(what);
        wrong.push_back(std::move(line));
      }
    }
  }

  CHECK(count > 50);
  CHECK_THAT(wrong, Catch::Matchers::Equals(std::vector<std::string>{}));
}

TEST_CASE("links: files of the repository that pages name are there", "[docs][links]") {
  std::vector<std::string> missing;
  std::size_t count = 0;
  for (const fs::path& page : AllMarkdown()) {
    // It speaks of what was.
    if (page.filename() == "CHANGELOG.md") continue;
    for (const docs::Block& block : ReadBlocks(page)) {
      for (const std::string& name : NamedFiles(block)) {
        ++count;
        // `uppercase` is the stage that CONTRIBUTING.md makes up.
        const bool made_up = name.find("/uppercase") != std::string::npos;
        if (made_up || fs::exists(fs::path(AGENT_SOURCE_DIR) / name)) continue;
        std::string line = page.lexically_relative(AGENT_SOURCE_DIR).string();
        line += ":" + std::to_string(block.line);
        missing.push_back(line.append(": ").append(name));
      }
    }
  }

  CHECK(count > 50);
  CHECK_THAT(missing, Catch::Matchers::Equals(std::vector<std::string>{}));
}

TEST_CASE("links: every page that users read is in `agent docs`", "[docs]") {
  std::vector<std::string> missing;
  for (const fs::path& file : AllMarkdown()) {
    const std::string path = file.lexically_relative(AGENT_SOURCE_DIR).generic_string();
    // What is for those who build it.
    if (path == "CONTRIBUTING.md" || path.starts_with("tests/")) continue;
    const auto pages = docs::AllPages();
    const bool shown = std::any_of(pages.begin(), pages.end(),
                                   [&path](const docs::Page& page) { return page.path == path; });
    if (!shown) missing.push_back(path + ": a line for agent/docs/CMakeLists.txt");
  }

  CHECK_THAT(missing, Catch::Matchers::Equals(std::vector<std::string>{}));
}

TEST_CASE("links: no two pages of `agent docs` have one name", "[docs]") {
  std::set<std::string_view> names;
  for (const docs::Page& page : docs::AllPages()) {
    INFO(page.path);
    CHECK(names.insert(page.name).second);
  }
}

}  // namespace agent
