#include "agent/tail/file_tree.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/tail/glob.h"
#include "agent/tail/target_groups.h"
#include "base/log.h"

namespace agent {
namespace {

// A text of a few letters, so that patterns meet names.
std::string RandomText(std::mt19937& random, const std::string& letters, std::size_t max_length) {
  std::string text;
  const std::size_t length = 1 + random() % max_length;
  for (std::size_t i = 0; i < length; ++i)
    text += letters[random() % letters.size()];
  return text;
}

TEST_CASE("file tree: the candidates of a pattern are all that it matches, and more only for many",
          "[tail][glob]") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::set<std::string> names;
    for (int i = 0; i < 60; ++i)
      names.insert(RandomText(random, "ab-.", 5));
    std::vector<Listing::Entry> entries;
    for (const std::string& name : names)
      entries.push_back({name, FileKind::kOther});
    Listing listing(std::move(entries));
    for (int i = 0; i < 30; ++i) {
      const std::string pattern = RandomText(random, "ab-.*?", 5);
      INFO(pattern);
      std::set<std::string> candidates;
      for (const uint32_t index : listing.Candidates(pattern))
        candidates.insert(listing.entries()[index].name);
      for (const std::string& name : names) {
        if (MatchComponent(pattern, name)) CHECK(candidates.contains(name));
      }
    }
  }
}

TEST_CASE("file tree: a literal end or beginning narrows the candidates", "[tail][glob]") {
  std::vector<Listing::Entry> entries;
  for (int i = 0; i < 1000; ++i)
    entries.push_back({"pod-" + std::to_string(i), FileKind::kDirectory});
  Listing listing(std::move(entries));

  CHECK(listing.Candidates("*-123").size() == 1);
  CHECK(listing.Candidates("pod-12?").size() == 11);
  CHECK(listing.Candidates("*").size() == 1000);
  CHECK(listing.Candidates("*[0-9]").size() == 1000);
  CHECK(listing.Candidates("*x").empty());
  CHECK(listing.Candidates("\\pod-1*-1").size() <= 1000);
}

TEST_CASE("file tree: a glob finds in a set of paths what it matches", "[tail][glob]") {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    PathTree tree;
    std::set<std::string> paths;
    for (int i = 0; i < 80; ++i) {
      std::string path;
      const std::size_t depth = 1 + random() % 4;
      // Directories and files have different letters: a path is not both.
      for (std::size_t level = 1; level < depth; ++level)
        path += "/" + RandomText(random, "ab", 2);
      path += "/" + RandomText(random, "xy", 3) + ".log";
      paths.insert(path);
      tree.Add(path);
    }
    std::string pattern;
    for (std::size_t level = random() % 4; level > 0; --level)
      pattern += random() % 4 == 0 ? "/**" : "/" + RandomText(random, "ab*?", 2);
    pattern += "/" + RandomText(random, "xy*?", 3) + ".log";
    const Glob glob = Glob::Compile(pattern).value();
    INFO(pattern);

    std::set<std::string> found;
    Glob::Visitor visitor;
    visitor.match = [&found](const std::string& path) { found.insert(path); };
    CHECK(glob.Expand(visitor, tree));

    std::set<std::string> want;
    for (const std::string& path : paths) {
      if (glob.Match(path)) want.insert(path);
    }
    CHECK(found == want);
  }
}

TEST_CASE("target groups: things by path are found by what a group wants", "[tail]") {
  Logger logger(-1, LogLevel::kError, LogFormat::kLogfmt);
  TargetGroups groups;
  const auto target =
      std::make_shared<Target>(Target{"job", {}, {{"a", "1"}}, "/v/*.log", "/v/debug*"});
  groups.Set({target, std::make_shared<Target>(*target)}, logger);
  REQUIRE(groups.all().size() == 1);
  REQUIRE(groups.patterns()->size() == 1);  // Two targets want the same.
  const TargetGroup& group = groups.all().begin()->second;
  ByPath<int> things;
  CHECK(things.WantedBy(group).empty());
  things.Add("/v/a.log", 1);
  things.Add("/v/a.log", 2);
  things.Add("/v/debug.log", 3);
  things.Add("/w/a.log", 4);

  std::vector<int> wanted = things.WantedBy(group);

  std::sort(wanted.begin(), wanted.end());
  CHECK(wanted == std::vector<int>{1, 2});
}

TEST_CASE("target groups: targets come, go and come again", "[tail]") {
  Logger logger(-1, LogLevel::kError, LogFormat::kLogfmt);
  TargetGroups groups;
  const auto make = [](const std::string& path, const std::string& value) {
    return std::make_shared<Target>(Target{"job", {}, {{"a", value}}, path, ""});
  };
  const auto one = make("/1", "x");
  const auto two = make("/2", "x");
  const auto other = make("/1", "y");
  const auto paths = [&groups] {
    std::string all;
    for (const auto& pattern : *groups.patterns())
      all += std::to_string(pattern->group) + pattern->glob.pattern() + " ";
    return all;
  };

  groups.Set({one, two, other}, logger);
  CHECK(paths() == "1/1 1/2 2/1 ");
  groups.Set({two}, logger);
  CHECK(paths() == "1/2 ");
  CHECK_FALSE(groups.Find(2)->wanted);
  groups.Set({other, make("/1", "x"), two}, logger);
  CHECK(paths() == "2/1 1/1 1/2 ");
  groups.Set({}, logger);
  CHECK(paths().empty());
  groups.Prune([](uint32_t id) { return id == 2; });
  CHECK(groups.Find(1) == nullptr);
  CHECK(groups.Find(2) != nullptr);
}

}  // namespace
}  // namespace agent
