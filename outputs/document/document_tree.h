// The shape of a document: names expanded at their dots into objects, no name twice, nothing both a
// value and an object. Made once for many documents that differ in values alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

// A piece of the finished document: text that is always the same, then a value that is not.
struct DocumentPiece {
  static constexpr uint32_t kNoHole = ~uint32_t{0};

  std::string text;
  uint32_t hole =
      kNoHole;  // Whose value follows, as its number was given; the last piece has none.
};

class DocumentTree {
 public:
  DocumentTree();
  DocumentTree(const DocumentTree&) = delete;
  DocumentTree& operator=(const DocumentTree&) = delete;
  ~DocumentTree();

  // What these paths would have been is left out, or goes elsewhere. Before anything is added.
  void Remove(std::vector<std::string> paths) { removed_ = std::move(paths); }
  void Rename(std::vector<std::pair<std::string, std::string>> paths) {
    renamed_ = std::move(paths);
  }

  // Names that Logstash does not get along with are changed. Before anything is added.
  void ForLogstash() { for_logstash_ = true; }

  // Adds a value: `json` is its text; or a hole with that number. The first one to come to a place
  // stays, a later one is left out; a value where an object is, or the other way round, becomes the
  // object's `value`. An empty part of a path (`a..b`) makes the whole path one name with `_` for
  // its dots.
  void AddText(std::string_view path, std::string json);
  void AddHole(std::string_view path, uint32_t hole);

  // The document, with its braces.
  [[nodiscard]] std::vector<DocumentPiece> Pieces() const;

 private:
  struct Node;

  void Add(std::string_view path, std::string json, uint32_t hole);
  [[nodiscard]] bool IsRemoved(std::string_view path) const;
  [[nodiscard]] std::string Renamed(std::string_view path) const;
  static void Write(const Node& node, std::vector<DocumentPiece>& pieces);

  bool for_logstash_ = false;
  std::vector<std::string> removed_;
  std::vector<std::pair<std::string, std::string>> renamed_;
  std::unique_ptr<Node> root_;
};

}  // namespace agent
