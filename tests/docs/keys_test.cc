// Every key of the configuration is documented in the page of its section, as the code has it: with
// its default, its choices, its range; and no other key is.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/docs/pages.h"
#include "base/config/scalars.h"
#include "base/go_format.h"
#include "tests/docs/documented_keys.h"
#include "tests/docs/observed_keys.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

using Lines = std::vector<std::string>;

const ObservedKeys& Observed() {
  static const ObservedKeys kKeys = ObserveEverything();
  return kKeys;
}

const std::vector<DocumentedKey>& Documented() {
  static const std::vector<DocumentedKey> kKeys = AllDocumentedKeys();
  return kKeys;
}

std::vector<const DocumentedKey*> DocumentationOf(std::string_view path) {
  std::vector<const DocumentedKey*> found;
  for (const DocumentedKey& key : Documented()) {
    if (key.Is(path)) found.push_back(&key);
  }
  return found;
}

// What a cell says: its code if there is any, else its text. Several where it depends.
Lines ValuesOf(std::string_view cell) {
  Lines codes = docs::CodeSpans(cell);
  if (codes.empty()) codes.push_back(docs::PlainText(cell));
  return codes;
}

// Defaults that say that there is none.
bool IsNothing(FieldKind kind, const std::string& value) {
  if (kind == FieldKind::kBool) return false;
  return value.empty() || value == "0" || value == "0s";
}

bool SameValue(FieldKind kind, const std::string& code, const std::string& documented) {
  if (kind == FieldKind::kDuration) {
    const auto wanted = ParseGoDuration(code);
    const auto go = ParseGoDuration(documented);
    const auto prometheus = ParsePrometheusDuration(documented);
    return (go.ok() && *go == *wanted) || (prometheus.ok() && *prometheus == *wanted);
  }
  if (kind == FieldKind::kSize) {
    const auto size = ParseSize(documented);
    return size.ok() && std::to_string(*size) == code;
  }
  return code == documented;
}

// What the documentation of a key gets wrong about it; empty when nothing.
std::string WrongDefault(const ObservedKey& key, const DocumentedKey& documented) {
  const Lines values = ValuesOf(documented.row.Cell("default"));
  const std::string& value = values.front();
  if (key.required) return value == "required" ? "" : "is required, not '" + value + "'";
  const bool plain = key.kind != FieldKind::kNode && key.kind != FieldKind::kTexts &&
                     key.kind != FieldKind::kMap && key.kind != FieldKind::kList &&
                     key.kind != FieldKind::kIgnored;
  if (!plain || IsNothing(key.kind, key.default_value)) return {};
  const bool same = std::any_of(values.begin(), values.end(), [&key](const std::string& one) {
    return SameValue(key.kind, key.default_value, one);
  });
  if (same) return {};
  return "is '" + key.default_value + "' by default, not '" + value + "'";
}

// The word that the type begins with.
std::string_view TypeWord(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBool:
      return "boolean";
    case FieldKind::kInt:
    case FieldKind::kFloat:
      return "number";
    case FieldKind::kDuration:
      return "duration";
    case FieldKind::kSize:
      return "size";
    case FieldKind::kTexts:
    case FieldKind::kList:
      return "list";
    case FieldKind::kMap:
      return "map";
    default:
      return "";
  }
}

std::string WholeRow(const DocumentedKey& key) {
  std::string text;
  for (const std::string& cell : key.row.cells)
    text += docs::PlainText(cell) + " ";
  return text;
}

std::string WrongType(const ObservedKey& key, const DocumentedKey& documented) {
  const std::string type = docs::PlainText(documented.row.Cell("type"));
  const std::string_view word = TypeWord(key.kind);
  if (type.find(word) == std::string::npos)
    return "is a " + std::string(word) + ", not '" + type + "'";
  for (const std::string& choice : key.choices) {
    const auto codes = docs::CodeSpans(documented.row.Cell("type"));
    if (!choice.empty() && std::find(codes.begin(), codes.end(), choice) == codes.end())
      return "may be `" + choice + "`, which its type does not say";
  }
  constexpr double kOwnRange = 1e8;  // Beyond that it is the range of the type.
  const bool has_range = key.max > 0 && key.max < kOwnRange;
  if (has_range && WholeRow(documented).find(std::to_string(static_cast<int64_t>(key.max))) ==
                       std::string::npos) {
    return "is at most " + std::to_string(static_cast<int64_t>(key.max));
  }
  return {};
}

void AppendWrong(const ObservedKey& key, const DocumentedKey& documented,
                 std::set<std::string>& wrong) {
  for (const std::string& what : {WrongDefault(key, documented), WrongType(key, documented)}) {
    if (!what.empty()) wrong.insert(documented.Where() + " " + what);
  }
}

}  // namespace

TEST_CASE("reference: every key that the code reads is documented in the page of its section",
          "[docs]") {
  Lines missing;
  for (const auto& [path, ways] : Observed()) {
    if (DocumentationOf(path).empty()) missing.push_back(path);
  }

  CHECK_THAT(missing, Catch::Matchers::Equals(Lines{}));
}

TEST_CASE("reference: every documented key is one that the code reads", "[docs]") {
  Lines unknown;
  for (const DocumentedKey& key : Documented()) {
    const bool known = std::any_of(Observed().begin(), Observed().end(),
                                   [&](const auto& observed) { return key.Is(observed.first); });
    if (!known) unknown.push_back(key.Where());
  }

  CHECK_THAT(unknown, Catch::Matchers::Equals(Lines{}));
}

TEST_CASE("reference: documented defaults, types, choices and ranges are those of the code",
          "[docs]") {
  std::set<std::string> wrong;
  for (const auto& [path, ways] : Observed()) {
    for (const DocumentedKey* const documented : DocumentationOf(path)) {
      for (const ObservedKey& key : ways)
        AppendWrong(key, *documented, wrong);
    }
  }

  CHECK_THAT(Lines(wrong.begin(), wrong.end()), Catch::Matchers::Equals(Lines{}));
}

TEST_CASE("reference: every table of keys has the same columns", "[docs]") {
  Lines other;
  for (const DocumentedKey& key : Documented()) {
    if (key.row.titles != Lines{"key", "type", "default", "meaning"}) other.push_back(key.Where());
  }

  CHECK_THAT(other, Catch::Matchers::Equals(Lines{}));
}

TEST_CASE("reference: every section with keys has an example", "[docs]") {
  for (const docs::Page& page : docs::AllPages()) {
    std::string heading;
    bool has_keys = false;
    bool has_example = false;
    const auto check = [&] {
      INFO(page.path << ", " << heading);
      CHECK((!has_keys || has_example));
      has_keys = has_example = false;
    };
    for (const docs::Block& block : docs::ParseMarkdown(page.text)) {
      if (block.kind == docs::BlockKind::kHeading) {
        check();
        heading = block.text;
      }
      if (block.kind == docs::BlockKind::kComment) has_keys |= block.text.starts_with("keys:");
      if (block.kind == docs::BlockKind::kCode) has_example = true;
    }
    check();
  }
}

TEST_CASE("reference: what every key means is said", "[docs]") {
  Lines empty;
  for (const DocumentedKey& key : Documented()) {
    if (key.row.Cell("meaning").size() < 3) empty.push_back(key.Where());
  }

  CHECK_THAT(empty, Catch::Matchers::Equals(Lines{}));
}

TEST_CASE("reference: every section that the pages speak of has been visited", "[docs]") {
  // Else keys of it could be missing from both sides.
  Lines unvisited;
  for (const auto& [path, ways] : Observed()) {
    const auto documentation = DocumentationOf(path);
    const bool is_free = std::any_of(ways.begin(), ways.end(), [](const ObservedKey& key) {
      return key.kind == FieldKind::kMap;
    });
    if (documentation.empty() || is_free) continue;
    const std::string type = docs::PlainText(documentation.front()->row.Cell("type"));
    if (type != "map" && type != "list of maps") continue;
    const std::string inside = path + (type == "map" ? "." : "[].");
    const auto next = Observed().lower_bound(inside);
    if (next == Observed().end() || !next->first.starts_with(inside)) unvisited.push_back(path);
  }

  CHECK_THAT(unvisited, Catch::Matchers::Equals(Lines{}));
}

}  // namespace agent
