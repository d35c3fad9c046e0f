#include "base/config/problems.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("problems: each is shown with its line, a caret and a hint", "[config][problems]") {
  Problems problems("promtail.yaml", "a: 1\nclients:\n  - ulr: x\n");

  problems.Error({3, 5, 3}, "clients[0]", "unknown key 'ulr'", "did you mean 'url'?");

  CHECK(problems.Format(/*color=*/false) ==
        "promtail.yaml:3:5: clients[0]: unknown key 'ulr'\n"
        "    3 |   - ulr: x\n"
        "      |     ^~~ did you mean 'url'?\n");
}

TEST_CASE("problems: they are sorted by place, those without one first", "[config][problems]") {
  Problems problems("f", "a\nb\n");

  problems.Error({2, 1, 1}, "", "second");
  problems.Warning({1, 1, 1}, "", "first");
  problems.Error({}, "", "no place", "a hint");

  CHECK(problems.Format(false) ==
        "f: no place\n        a hint\n"
        "f:1:1: warning: first\n    1 | a\n      | ^\n"
        "f:2:1: second\n    2 | b\n      | ^\n");
  CHECK(problems.error_count() == 2);
  CHECK(problems.warning_count() == 1);
  CHECK(problems.has_errors());
}

TEST_CASE("problems: the caret stands right behind tabs and letters of several bytes",
          "[config][problems]") {
  Problems problems("f", "\xC3\xA4:\tbad\n");

  problems.Error({1, 5, 3}, "", "wrong");

  CHECK(problems.Format(false) == "f:1:5: wrong\n    1 | \xC3\xA4:\tbad\n      |   \t^~~\n");
}

TEST_CASE("problems: a place behind the end of its line or file does no harm",
          "[config][problems]") {
  Problems problems("f", "ab\n");

  problems.Error({1, 99, 5}, "", "beyond the line");
  problems.Error({9, 1, 5}, "", "beyond the file");

  CHECK(problems.Format(false) ==
        "f:1:99: beyond the line\n    1 | ab\n      |   ^\nf:9:1: beyond the file\n");
}

TEST_CASE("problems: of a long line the part around the place is shown", "[config][problems]") {
  Problems problems("f", std::string(5000, 'x') + "HERE" + std::string(5000, 'y'));

  problems.Error({1, 5001, 4}, "", "wrong");

  const std::string text = problems.Format(false);
  CHECK(text.size() < 500);
  CHECK(text.find("xHEREy") != std::string::npos);
  CHECK(text.find("^~~~\n") != std::string::npos);
}

TEST_CASE("problems: a long line that is no UTF-8 does no harm", "[config][problems]") {
  Problems problems("f", std::string(500, '\x9D'));

  problems.Error({1, 400, 1}, "", "a byte that is not UTF-8");

  CHECK(problems.Format(false).size() < 500);
}

TEST_CASE("problems: control characters never reach the terminal", "[config][problems]") {
  Problems problems("f", "a\x1b[31m\n");

  problems.Error({1, 1, 1}, "p\x1b", "m\x1b");

  CHECK(problems.Format(false).find('\x1b') == std::string::npos);
}

TEST_CASE("problems: colours only when asked for", "[config][problems]") {
  Problems problems("f", "a\n");
  problems.Error({1, 1, 1}, "", "wrong");
  problems.Warning({1, 1, 1}, "", "odd");

  CHECK(problems.Format(true).find("\x1b[1;31m^\x1b[0m") != std::string::npos);
  CHECK(problems.Format(true).find("\x1b[1;33mwarning: \x1b[0m") != std::string::npos);
  CHECK(problems.Format(false).find('\x1b') == std::string::npos);
}

TEST_CASE("problems: one line for the log", "[config][problems]") {
  Problems problems("f", "a\n");
  problems.Error({1, 2, 1}, "a.b", "wrong", "do right");
  problems.Error({}, "", "no place");

  CHECK(problems.FormatLine(problems.all()[0]) == "f:1:2: a.b: wrong; do right");
  CHECK(problems.FormatLine(problems.all()[1]) == "f: no place");
}

TEST_CASE("problems: places go through the map of a changed text", "[config][problems]") {
  Problems problems("f", "a: ${B}\n");
  problems.MapPlaces([](const Place& place) { return Place{place.line - 1, 4, 4}; });

  problems.Error({2, 7, 1}, "", "wrong");

  CHECK(problems.all()[0].place.line == 1);
  CHECK(problems.Format(false) == "f:1:4: wrong\n    1 | a: ${B}\n      |    ^~~~\n");
}

TEST_CASE("problems: a flood is cut off, but an error is never lost", "[config][problems]") {
  Problems problems("f", "a\n");
  for (int i = 0; i < 5000; ++i)
    problems.Warning({1, 1, 1}, "", "odd");
  REQUIRE_FALSE(problems.has_errors());

  for (int i = 0; i < 5000; ++i)
    problems.Error({1, 1, 1}, "", "wrong");

  CHECK(problems.has_errors());
  CHECK(problems.all().size() == 1001);
}

}  // namespace
}  // namespace agent
