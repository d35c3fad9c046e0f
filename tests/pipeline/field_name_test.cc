#include "pipeline/field_name.h"

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("field name: brackets become dots", "[field_name]") {
  CHECK(ReadFieldName("status") == "status");
  CHECK(ReadFieldName("http.status") == "http.status");
  CHECK(ReadFieldName("[status]") == "status");
  CHECK(ReadFieldName("[http][response][status]") == "http.response.status");
  CHECK(ReadFieldName("[@metadata][index_prefix]") == "@metadata.index_prefix");
}

TEST_CASE("field name: what is no name", "[field_name]") {
  for (const char* text : {"", "[", "]", "[]", "[a", "a]", "[a]b", "a[b]", "[a][]", "[[a]]"}) {
    INFO(text);
    CHECK_FALSE(ReadFieldName(text).has_value());
  }
}

}  // namespace agent
