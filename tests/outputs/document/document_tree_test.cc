#include "outputs/document/document_tree.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// The document with each hole shown as <number>.
std::string Shown(const DocumentTree& tree) {
  std::string text;
  for (const DocumentPiece& piece : tree.Pieces()) {
    text += piece.text;
    if (piece.hole != DocumentPiece::kNoHole) text += "<" + std::to_string(piece.hole) + ">";
  }
  return text;
}

}  // namespace

TEST_CASE("document tree: dots make objects, in the order of what was added", "[document]") {
  DocumentTree tree;
  tree.AddHole("@timestamp", 0);
  tree.AddText("a.b.c", "1");
  tree.AddText("x", "2");
  tree.AddHole("a.d", 7);
  CHECK(Shown(tree) == R"({"@timestamp":<0>,"a":{"b":{"c":1},"d":<7>},"x":2})");
}

TEST_CASE("document tree: a value and an object of one name become value and object",
          "[document]") {
  DocumentTree value_first;
  value_first.AddText("a", "1");
  value_first.AddText("a.b", "2");
  CHECK(Shown(value_first) == R"({"a":{"value":1,"b":2}})");

  DocumentTree object_first;
  object_first.AddText("a.b", "2");
  object_first.AddHole("a", 5);
  CHECK(Shown(object_first) == R"({"a":{"b":2,"value":<5>}})");
}

TEST_CASE("document tree: the first of two values of one name stays", "[document]") {
  DocumentTree tree;
  tree.AddText("a", "1");
  tree.AddText("a", "2");
  tree.AddText("o.x", "1");
  tree.AddText("o", "3");
  tree.AddText("o", "4");
  CHECK(Shown(tree) == R"({"a":1,"o":{"x":1,"value":3}})");
}

TEST_CASE("document tree: names that are no UTF-8 are one when they look alike", "[document]") {
  DocumentTree tree;
  tree.AddText("a\xff", "1");
  tree.AddText("a\x86", "2");
  CHECK(Shown(tree) == "{\"a\xEF\xBF\xBD\":1}");
}

TEST_CASE("document tree: empty parts of a name are no objects", "[document]") {
  DocumentTree tree;
  tree.AddText("a..b", "1");
  tree.AddText(".c", "2");
  tree.AddText("d.", "3");
  tree.AddText("", "4");
  CHECK(Shown(tree) == R"({"a__b":1,"_c":2,"d_":3,"_":4})");
}

TEST_CASE("document tree: paths are removed and renamed with what is below them", "[document]") {
  DocumentTree tree;
  tree.Remove({"agent", "log.offset"});
  tree.Rename({{"labels.app", "service.name"}, {"host", "node"}});
  tree.AddText("agent.type", "1");
  tree.AddText("agents", "2");
  tree.AddText("log.offset", "3");
  tree.AddText("log.file.path", "4");
  tree.AddText("labels.app", "5");
  tree.AddText("host.name", "6");
  CHECK(Shown(tree) ==
        R"({"agents":2,"log":{"file":{"path":4}},"service":{"name":5},"node":{"name":6}})");
}

}  // namespace agent
