// Includes go one way only:
//
//     agent -> {discovery, pipeline, outputs} -> base
//     inside agent/: main -> modes -> agent -> http -> runtime -> tail -> config
//
// A file may include its own layer and those below it.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

struct Include {
  std::string file;  // From the repository root, as is `target`.
  int line = 0;
  std::string target;
};

constexpr std::array<std::string_view, 5> kRooms = {"agent", "base", "discovery", "outputs",
                                                    "pipeline"};

bool IsSource(const std::filesystem::path& path) {
  return path.extension() == ".cc" || path.extension() == ".h";
}

// What stands between the quotes of an include of ours.
std::optional<std::string> QuotedInclude(std::string_view line) {
  constexpr std::string_view kBegin = "#include \"";
  if (!line.starts_with(kBegin)) return std::nullopt;
  line.remove_prefix(kBegin.size());
  return std::string(line.substr(0, line.find('"')));
}

void AppendIncludes(const std::filesystem::path& root, const std::filesystem::path& path,
                    std::vector<Include>& includes) {
  std::ifstream file(path);
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (auto target = QuotedInclude(text)) {
      includes.push_back({path.lexically_relative(root).string(), line, *target});
    }
  }
}

std::vector<Include> AllIncludes() {
  const std::filesystem::path root = AGENT_SOURCE_DIR;
  std::vector<Include> includes;
  for (const std::string_view room : kRooms) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / room)) {
      if (IsSource(entry.path())) AppendIncludes(root, entry.path(), includes);
    }
  }
  return includes;
}

std::string Room(std::string_view path) {
  return std::string(path.substr(0, path.find('/')));
}

// Higher includes lower. Rooms of one height do not include one another.
int RoomHeight(std::string_view room) {
  if (room == "agent") return 2;
  if (room == "base") return 0;
  return 1;
}

bool RoomMayInclude(const std::string& from, const std::string& to) {
  if (std::find(kRooms.begin(), kRooms.end(), to) == kRooms.end()) return false;
  return from == to || RoomHeight(from) > RoomHeight(to);
}

// Of a file in agent/; what lies in agent/ itself and is not main.cc puts the rooms together.
int AgentHeight(std::string_view path) {
  constexpr std::array<std::string_view, 4> kFolders = {"agent/config", "agent/tail",
                                                        "agent/runtime", "agent/http"};
  for (std::size_t height = 0; height < kFolders.size(); ++height) {
    if (path.starts_with(kFolders[height])) return static_cast<int>(height);
  }
  if (path.starts_with("agent/modes/")) return 5;
  return path == "agent/main.cc" ? 6 : 4;
}

std::string Describe(const Include& include) {
  return include.file + ":" + std::to_string(include.line) + " includes " + include.target;
}

}  // namespace

TEST_CASE("layers: rooms include only what is below them", "[layers]") {
  std::vector<std::string> wrong;
  for (const Include& include : AllIncludes()) {
    if (!RoomMayInclude(Room(include.file), Room(include.target)))
      wrong.push_back(Describe(include));
  }

  CHECK_THAT(wrong, Catch::Matchers::Equals(std::vector<std::string>{}));
}

TEST_CASE("layers: inside agent/ includes go from main down to config", "[layers]") {
  std::vector<std::string> wrong;
  for (const Include& include : AllIncludes()) {
    if (Room(include.file) != "agent" || Room(include.target) != "agent") continue;
    if (AgentHeight(include.file) < AgentHeight(include.target)) wrong.push_back(Describe(include));
  }

  CHECK_THAT(wrong, Catch::Matchers::Equals(std::vector<std::string>{}));
}

TEST_CASE("layers: every include of ours is found from the repository root", "[layers]") {
  std::vector<std::string> wrong;
  for (const Include& include : AllIncludes()) {
    if (!std::filesystem::exists(std::filesystem::path(AGENT_SOURCE_DIR) / include.target)) {
      wrong.push_back(Describe(include));
    }
  }

  CHECK_THAT(wrong, Catch::Matchers::Equals(std::vector<std::string>{}));
}

}  // namespace agent
