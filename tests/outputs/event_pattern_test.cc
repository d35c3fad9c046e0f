#include "outputs/event_pattern.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

constexpr int64_t kTime = 1714557600123456789;  // 2024-05-01T10:00:00Z, a Wednesday.

std::string Expand(const std::string& text, const Labels& labels = {},
                   const std::vector<Metadata>& metadata = {},
                   const std::vector<Field>& fields = {}) {
  const auto pattern = EventPattern::Parse(text);
  REQUIRE(pattern.ok());
  Entry entry;
  entry.timestamp_ns = kTime;
  entry.metadata = metadata;
  entry.fields = fields;
  std::string name;
  return pattern->Append(name, entry, labels) ? name : "(missing)";
}

std::string Problem(const std::string& text) {
  const auto pattern = EventPattern::Parse(text);
  return pattern.ok() ? "" : pattern.error().message;
}

}  // namespace

TEST_CASE("event pattern: text, and the entry's time in UTC", "[outputs]") {
  CHECK(Expand("logs") == "logs");
  CHECK(Expand("ml-logs-%{+YYYY.MM.dd}") == "ml-logs-2024.05.01");
  CHECK(Expand("%{+yyyy-MM-dd'T'HH:mm:ss}") == "2024-05-01T10:00:00");
  CHECK(Expand("w%{+xxxx.ww}") == "w2024.18");
  CHECK(Expand("%{+yy DDD EEE MMM EEEE}") == "24 122 Wed May Wednesday");
  CHECK(Expand("a%{+''}b") == "a'b");
}

TEST_CASE("event pattern: references find labels, metadata and fields", "[outputs]") {
  const Labels labels = {{"app", "shop"}, {"pod", "p1"}};
  CHECK(Expand("%{[labels.app]}", labels) == "shop");
  CHECK(Expand("%{[labels][app]}-x", labels) == "shop-x");
  CHECK(Expand("%{[app]}", labels) == "shop");
  CHECK(Expand("%{[kubernetes][pod][name]}", labels) == "p1");
  CHECK(Expand("%{[metadata.user]}", {}, {{"user", "u"}}) == "u");
  CHECK(Expand("%{[user]}", {}, {{"user", "u"}}) == "u");
  CHECK(Expand("%{[fields][n]}", {}, {}, {{"n", Value::Integer(5)}}) == "5");
}

TEST_CASE("event pattern: a default stands in for a missing or empty value", "[outputs]") {
  CHECK(Expand("%{[labels.app]:none}") == "none");
  CHECK(Expand("%{[labels.app]:}") == "");
  CHECK(Expand("%{[labels.app]}") == "(missing)");
  CHECK(Expand("%{[labels.app]:d}", {{"app", ""}}) == "d");
}

TEST_CASE("event pattern: what is wrong with one is said", "[outputs]") {
  CHECK(Problem("a%{[x]") == "'%{' without its '}'");
  CHECK(Problem("%{+}") == "'%{+}' needs a layout: yyyy.MM.dd");
  CHECK(Problem("%{x}").starts_with("'%{x}' is neither"));
  CHECK(Problem("%{[]}").starts_with("'%{[]}' is neither"));
  CHECK(Problem("%{[a]x}").starts_with("'%{[a]x}' is neither"));
}

}  // namespace agent
