#include "agent/config/pairs.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("flags: external labels are a line of CSV", "[config][flags]") {
  const auto labels = [](std::string_view text) {
    const Result<Labels> parsed = ParseLabelPairs(text);
    return parsed.ok() ? FormatLabels(*parsed) : "error: " + parsed.error().message;
  };
  CHECK(labels("a=b,c=d=e") == "{a=\"b\", c=\"d=e\"}");
  CHECK(labels("\"a=b,c\",d=") == "{a=\"b,c\", d=\"\"}");
  CHECK(labels("\"a=\"\"q\"\"\"") == "{a=\"\\\"q\\\"\"}");
  CHECK(labels("") == "{}");
  CHECK(labels("\"a=b") == "error: a quote that is not closed");
  CHECK(labels("\"a=b\"c") == "error: a quote that is not closed");
  CHECK(labels("1a=b") == "error: '1a' is not a valid label name");
}

}  // namespace
}  // namespace agent
