#include "agent/receivers/journal/journal_fields.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("journal fields: only those that are wanted, of the present entry, the last of several",
          "[journal]") {
  JournalFields fields({"PRIORITY", "MESSAGE", "MESSAGE"});
  fields.Add("MESSAGE", "first");
  fields.Add("OTHER", "x");
  fields.Add("MESSAGE", "second");

  CHECK(fields.all().size() == 2);
  REQUIRE(fields.Find("MESSAGE") != nullptr);
  CHECK(*fields.Find("MESSAGE") == "second");
  CHECK(fields.Find("PRIORITY") == nullptr);
  CHECK(fields.Find("OTHER") == nullptr);

  fields.Clear();
  fields.Add("PRIORITY", "3");
  CHECK(fields.Find("MESSAGE") == nullptr);
  CHECK(*fields.Find("PRIORITY") == "3");
}

TEST_CASE("journal fields: names that are made up do not pile up", "[journal]") {
  JournalFields fields;
  std::size_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    fields.Clear();
    fields.Add("MESSAGE", "m");
    fields.Add("F" + std::to_string(i), "v");
    most = std::max(most, fields.all().size());
  }
  CHECK(most < 1100);
  CHECK(*fields.Find("F99999") == "v");
}

TEST_CASE("journal fields: as JSON, sorted and escaped as Go does", "[journal]") {
  JournalFields fields;
  std::string json;
  AppendJournalJson(fields, json);
  CHECK(json == "{}");

  fields.Add("PRIORITY", "6");
  fields.Add("MESSAGE", "a<b>&\"\\\n\x01 caf\xc3\xa9 \xff");
  fields.Add("_PID", "1");
  fields.Add("EMPTY", "");
  fields.Add("NUL", std::string("a\0b", 3));
  json.clear();
  AppendJournalJson(fields, json);
  CHECK(json == R"({"EMPTY":"","MESSAGE":"a\u003cb\u003e\u0026\"\\\n\u0001 café \ufffd",)"
                R"("NUL":"a\u0000b","PRIORITY":"6","_PID":"1"})");

  fields.Clear();
  fields.Add("MESSAGE", "next");
  json.clear();
  AppendJournalJson(fields, json);
  CHECK(json == R"({"MESSAGE":"next"})");
}

TEST_CASE("journal fields: names of labels, keywords of priorities", "[journal]") {
  CHECK(JournalLabelName("_SYSTEMD_UNIT") == "__journal__systemd_unit");
  CHECK(JournalLabelName("MESSAGE") == "__journal_message");
  CHECK(JournalPriorityKeyword("0") == "emerg");
  CHECK(JournalPriorityKeyword("3") == "error");
  CHECK(JournalPriorityKeyword("7") == "debug");
  CHECK(JournalPriorityKeyword("8") == "8");
  CHECK(JournalPriorityKeyword("").empty());
  CHECK(JournalPriorityKeyword("03") == "03");
  CHECK(JournalPriorityKeyword("high") == "high");
}

TEST_CASE("journal fields: the time in a cursor", "[journal]") {
  CHECK(JournalCursorTime(
            "s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c6013a26343b29e964ff25d04d0c9"
            ";m=4fc72436e;t=4c508a72423d9;x=d3e5610681098c10") == 0x4c508a72423d9);
  CHECK(JournalCursorTime("t=a") == 10);
  CHECK_FALSE(JournalCursorTime("").has_value());
  CHECK_FALSE(JournalCursorTime("1234").has_value());
  CHECK_FALSE(JournalCursorTime("t=").has_value());
  CHECK_FALSE(JournalCursorTime("t=xyz;i=1").has_value());
  CHECK_FALSE(JournalCursorTime("t=ffffffffffffffffff").has_value());
}

}  // namespace
}  // namespace agent
