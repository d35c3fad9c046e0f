#include "agent/modes/inspect/shown_text.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("shown text: nothing in it reaches the terminal as a command", "[inspect]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"plain", "plain"},
      {"a\tb\nc\r", "a\\tb\\nc\\r"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {std::string("nul\0", 4), "nul\\x00"},
      {"bad \xff byte", "bad \\xff byte"},
      {"c1 \xc2\x9b", "c1 \\u009b"},
      {"right to left \xe2\x80\xae", "right to left \\u202e"},
      {"back\\slash \"stays\"", "back\\slash \"stays\""},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
  }));

  CHECK(ShowText(c.text, 80) == c.want);
}

TEST_CASE("shown text: what is too long is cut, with its length", "[inspect]") {
  CHECK(ShowText(std::string(30, 'x'), 30) == std::string(30, 'x'));
  CHECK(ShowText(std::string(31, 'x'), 30) == std::string(17, 'x') + "...(31 bytes)");
  CHECK(ShowText("first line\n" + std::string(100, 'y') + "\nlast", 40) ==
        "first line\\nyyyyy...(116 bytes, 3 lines)");
}

TEST_CASE("shown text: it never takes more columns than it may", "[inspect]") {
  const std::string wide =
      "\xe3\x81\xa8\xe3\x81\xa6\xe3\x82\x82";  // Three characters, six columns.
  const auto columns = GENERATE(range(30, 70));
  const auto width = static_cast<std::size_t>(columns);
  std::string text;
  for (int i = 0; i < 20; ++i)
    text += wide + "e\xcc\x81\n";
  INFO(columns);

  CHECK(ColumnsOf(ShowText(text, width)) <= width);
  CHECK(ColumnsOf(ShowQuoted(text, width)) <= width);
  CHECK(ColumnsOf(ShowEnd(text, width)) <= width);
  const ShownPair pair = ShowDifference(text + "before" + text, text + "after" + text, width);
  CHECK(ColumnsOf(pair.before) <= width);
  CHECK(ColumnsOf(pair.after) <= width);
}

TEST_CASE("shown text: quotes are those that the text has not", "[inspect]") {
  CHECK(ShowQuoted("", 20) == "\"\"");
  CHECK(ShowQuoted(" x ", 20) == "\" x \"");
  CHECK(ShowQuoted("{\"a\":1}", 20) == "'{\"a\":1}'");
  CHECK(ShowQuoted(std::string(40, 'x'), 24) == "\"" + std::string(9, 'x') + "\"...(40 bytes)");
}

TEST_CASE("shown text: of two long versions the part is shown that differs", "[inspect]") {
  const std::string before = std::string(200, 'a') + " secret=hunter2 " + std::string(200, 'b');
  const std::string after = std::string(200, 'a') + " secret=*** " + std::string(200, 'b');

  const ShownPair pair = ShowDifference(before, after, 60);

  CHECK(pair.is_edit);
  CHECK(pair.before == "...aaaaaaa secret=hunter2 bbbbbbbbbbbbbbbbbbbb...(416 bytes)");
  CHECK(pair.after == "...aaaaaaa secret=*** bbbbbbbbbbbbbbbbbbbbbbbb...(412 bytes)");
}

TEST_CASE("shown text: another text is no edit", "[inspect]") {
  CHECK_FALSE(ShowDifference("{\"message\":\"hello\"}", "hello", 60).is_edit);
  CHECK_FALSE(
      ShowDifference("2023 stdout F hello world, it is me", "hello world, it is me", 60).is_edit);
  CHECK(ShowDifference("user=ann logged in", "user=*** logged in", 60).is_edit);
}

TEST_CASE("shown text: of a long path the end is shown", "[inspect]") {
  CHECK(ShowEnd("/var/log/app.log", 40) == "/var/log/app.log");
  CHECK(ShowEnd("/var/log/pods/default_web/nginx/0.log", 24) == "...fault_web/nginx/0.log");
}

}  // namespace agent
