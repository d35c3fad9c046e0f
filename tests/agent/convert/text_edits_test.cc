#include "agent/convert/text_edits.h"

#include <catch2/catch.hpp>

namespace agent::convert {
namespace {

constexpr std::string_view kText =
    "a: 1  # one\n"
    "\n"
    "b:\n"
    "- x: 1\n"
    "  y:\n"
    "    - 2\n"
    "\n"
    "    # of y\n"
    "    - 3\n"
    "- x: 2\n"
    "# of c\n"
    "c: {d: 1}\n";

Place At(uint32_t line, uint32_t column) {
  return {line, column, 1};
}

}  // namespace

TEST_CASE("text edits: nothing changed is the text as it was", "[convert]") {
  CHECK(TextEdits(kText).Result() == kText);
  CHECK(TextEdits("").Result().empty());
  CHECK(TextEdits("a: 1").Result() == "a: 1\n");
}

TEST_CASE("text edits: a block ends before what is not below its key", "[convert]") {
  const TextEdits edits(kText);

  const auto list = edits.BlockOf(At(3, 1));
  REQUIRE(list);
  CHECK(list->begin == 3);
  CHECK(list->end == 11);
  const auto inner = edits.BlockOf(At(5, 3));
  REQUIRE(inner);
  CHECK(inner->end == 10);
  CHECK(edits.IndentBelow(*inner) == 4);
}

TEST_CASE("text edits: what does not begin its line has no block", "[convert]") {
  const TextEdits edits(kText);

  CHECK_FALSE(edits.BlockOf(At(12, 5)));
  CHECK_FALSE(edits.BlockOf(At(4, 3)));
  CHECK_FALSE(edits.BlockOf(At(0, 1)));
  CHECK_FALSE(edits.BlockOf(At(99, 1)));
}

TEST_CASE("text edits: an item is found by its first key", "[convert]") {
  const TextEdits edits(kText);

  const auto item = edits.ItemOf(At(4, 3));
  REQUIRE(item);
  CHECK(item->begin == 4);
  CHECK(item->end == 10);
  CHECK_FALSE(edits.ItemOf(At(12, 5)));
  const auto apart = TextEdits("l:\n  -\n    # why\n    x: 1\n  - y\n").ItemOf(At(4, 5));
  REQUIRE(apart);
  CHECK(apart->begin == 2);
  CHECK(apart->end == 5);
}

TEST_CASE("text edits: comments keep what they say where it stood", "[convert]") {
  TextEdits edits(kText);

  edits.CommentOut(*edits.BlockOf(At(5, 3)), "No y.");

  CHECK(edits.Result() ==
        "a: 1  # one\n\nb:\n- x: 1\n  # No y.\n  # y:\n  #   - 2\n\n  #   # of y\n  #   - 3\n"
        "- x: 2\n# of c\nc: {d: 1}\n");
}

TEST_CASE("text edits: lines are removed, inserted, indented and changed", "[convert]") {
  TextEdits edits("a: 1\n\nb: 2\n\nc: 3\n");

  edits.Remove({3, 4});
  edits.InsertAbove(1, "z: 0\n");
  edits.InsertAbove(99, "d: 4\n");
  edits.Replace(At(5, 1), 1, "see");
  edits.Indent({5, 6}, 2);

  CHECK(edits.Result() == "z: 0\na: 1\n\n  see: 3\nd: 4\n");
}

}  // namespace agent::convert
