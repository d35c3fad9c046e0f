#include "base/labels.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("labels: sorted by name, whatever the order they came in", "[labels]") {
  Labels labels;
  labels.Set("b", "2");
  labels.Set("a", "1");
  labels.Set("b", "3");

  CHECK(FormatLabels(labels) == R"({a="1", b="3"})");
  CHECK(labels.Value("a") == "1");
  CHECK(labels.Find("c") == nullptr);
  labels.Remove("a");
  labels.Remove("c");
  CHECK(labels == Labels{{"b", "3"}});
}

TEST_CASE("labels: values are quoted as Go does", "[labels]") {
  CHECK(FormatLabels({{"a", "say \"hi\"\\\n\x01"}}) == R"({a="say \"hi\"\\\n\x01"})");
}

TEST_CASE("labels: which names are valid", "[labels]") {
  CHECK(IsValidLabelName("a"));
  CHECK(IsValidLabelName("__path__"));
  CHECK(IsValidLabelName("A9_z"));
  CHECK_FALSE(IsValidLabelName(""));
  CHECK_FALSE(IsValidLabelName("9a"));
  CHECK_FALSE(IsValidLabelName("a-b"));
  CHECK_FALSE(IsValidLabelName("a:b"));
}

}  // namespace agent
