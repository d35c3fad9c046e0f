// No section is forgotten when the pages are held against what the readers ask for: each key that
// stands in the sources as an argument of a reader's method has been seen.

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/docs/observed_keys.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

// Methods of readers whose first argument is a key, or a list of keys.
constexpr std::array<std::string_view, 15> kMethods = {
    "Bool",   "Choice", "Duration",  "Float",      "Has",
    "Ignore", "Int",    "List",      "Node",       "PrometheusDuration",
    "Size",   "String", "StringMap", "StringList", "RequiredString"};
// Functions whose second one is, after the reader.
constexpr std::array<std::string_view, 9> kFunctions = {
    "EitherKey", "Given",     "NameUsed",          "Open",          "ReadLabels",
    "ReadPem",   "ReadRegex", "ReadRequiredRegex", "ReadTlsVersion"};

bool IsKeyByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The literals that begin at `at`: one, or all of a list in braces.
void AppendLiterals(std::string_view text, std::size_t at, std::set<std::string>& keys) {
  const bool list = text.substr(at).starts_with('{');
  std::size_t quote = text.find_first_not_of("{ \n", at);
  while (quote < text.size() && text[quote] == '"') {
    const std::size_t end = text.find('"', quote + 1);
    const std::string_view key = text.substr(quote + 1, end - quote - 1);
    if (!key.empty() && std::all_of(key.begin(), key.end(), IsKeyByte)) keys.emplace(key);
    if (!list) return;
    quote = text.find_first_not_of(", \n", end + 1);
  }
}

// Calls `found` with what follows each "name(" in which the byte before the name fits.
template <typename Fits, typename Found>
void ForEachCall(const std::string& text, std::string_view name, Fits fits, Found found) {
  const std::string call = std::string(name) + "(";
  for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
    if (at > 0 && fits(text[at - 1])) found(at + call.size());
  }
}

// Of one file that reads fields.
std::set<std::string> KeysIn(const std::string& text) {
  std::set<std::string> keys;
  for (const std::string_view name : kMethods) {
    ForEachCall(
        text, name, [](char before) { return before == '.' || before == '>' || before == ' '; },
        [&](std::size_t at) { AppendLiterals(text, text.find_first_not_of(" \n", at), keys); });
  }
  for (const std::string_view name : kFunctions) {
    ForEachCall(
        text, name, [](char before) { return !IsKeyByte(before); },
        [&](std::size_t at) {
          const std::size_t comma = text.find_first_of(",)", at);
          const std::size_t next = text.find_first_not_of(" \n", comma + 1);
          if (text[comma] == ',' && next != std::string::npos) AppendLiterals(text, next, keys);
        });
  }
  return keys;
}

bool ReadsFields(const std::string& text) {
  return text.find("FieldReader") != std::string::npos ||
         text.find("StageFields") != std::string::npos;
}

}  // namespace

TEST_CASE("reference: every key in the sources has been asked for", "[docs]") {
  // "cloud.id" is a key, and so is the "id" of a section "cloud".
  std::set<std::string> seen;
  for (const auto& [path, ways] : ObserveEverything()) {
    seen.insert(path);
    for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1))
      seen.insert(path.substr(dot + 1));
  }

  std::vector<std::string> unseen;
  std::size_t count = 0;
  const std::filesystem::path root = AGENT_SOURCE_DIR;
  for (const char* const room : {"agent", "pipeline", "discovery", "outputs"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / room)) {
      const std::string text = entry.path().extension() == ".cc" ? ReadText(entry.path()) : "";
      const std::string path = entry.path().lexically_relative(root).string();
      // Fields of protobuf.
      if (!ReadsFields(text) || path == "outputs/loki/push_request.cc") continue;
      for (const std::string& key : KeysIn(text)) {
        ++count;
        if (seen.contains(key)) continue;
        unseen.push_back(path);
        unseen.back().append(": ").append(key);
      }
    }
  }

  CHECK(count > 300);
  CHECK_THAT(unseen, Catch::Matchers::Equals(std::vector<std::string>{}));
}

}  // namespace agent
