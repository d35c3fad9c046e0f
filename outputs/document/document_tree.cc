#include "outputs/document/document_tree.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "outputs/document/json_text.h"

namespace agent {
namespace {

// "a.b" is at or below "a".
bool IsAtOrBelow(std::string_view path, std::string_view above) {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '.');
}

bool HasEmptyPart(std::string_view path) {
  return path.empty() || path.front() == '.' || path.back() == '.' ||
         path.find("..") != std::string_view::npos;
}

// Brackets are how Logstash refers to fields. At the root some names have a meaning of their own,
// or a type: `tags` is an array, `host` an object.
void MakeFitForLogstash(std::string& place, bool is_array) {
  std::replace(place.begin(), place.end(), '[', '_');
  std::replace(place.begin(), place.end(), ']', '_');
  if (place == "host") place = "host.name";
  if (IsAtOrBelow(place, "@metadata")) place[0] = '_';
  for (const std::string_view reserved : {"line", "beat", "@version"}) {
    if (IsAtOrBelow(place, reserved)) place.insert(reserved.size(), 1, '_');
  }
  if (IsAtOrBelow(place, "tags") && !is_array) place.insert(4, 1, '_');
}

}  // namespace

// An object, or a value that has no children.
struct DocumentTree::Node {
  std::string name;
  std::optional<std::string> json;  // A value's, unless it is a hole.
  uint32_t hole = DocumentPiece::kNoHole;
  std::vector<std::unique_ptr<Node>> children;

  [[nodiscard]] bool is_value() const { return json.has_value() || hole != DocumentPiece::kNoHole; }
  Node* Find(std::string_view child) {
    const auto at = std::find_if(children.begin(), children.end(),
                                 [child](const auto& node) { return node->name == child; });
    return at != children.end() ? at->get() : nullptr;
  }
  Node& Make(std::string_view child) {
    children.push_back(std::make_unique<Node>());
    children.back()->name = child;
    return *children.back();
  }
  // A value makes room for others: it becomes one of its own children.
  void TurnIntoObject() {
    auto value = std::make_unique<Node>();
    value->name = "value";
    value->json = std::exchange(json, std::nullopt);
    value->hole = std::exchange(hole, DocumentPiece::kNoHole);
    children.push_back(std::move(value));
  }
};

DocumentTree::DocumentTree() : root_(std::make_unique<Node>()) {}
DocumentTree::~DocumentTree() = default;

void DocumentTree::AddText(std::string_view path, std::string json) {
  Add(path, std::move(json), DocumentPiece::kNoHole);
}

void DocumentTree::AddHole(std::string_view path, uint32_t hole) {
  Add(path, {}, hole);
}

bool DocumentTree::IsRemoved(std::string_view path) const {
  return std::any_of(removed_.begin(), removed_.end(),
                     [path](const std::string& above) { return IsAtOrBelow(path, above); });
}

std::string DocumentTree::Renamed(std::string_view path) const {
  for (const auto& [from, to] : renamed_) {
    if (IsAtOrBelow(path, from)) return to + std::string(path.substr(from.size()));
  }
  return std::string(path);
}

void DocumentTree::Add(std::string_view path, std::string json, uint32_t hole) {
  if (IsRemoved(path)) return;
  std::string place = Renamed(path);
  if (!IsValidUtf8(place)) {
    // Now: two names that differ in their bad bytes alone are one.
    std::string valid;
    AppendSanitized(place, valid);
    place = std::move(valid);
  }
  if (place.empty()) place = "_";
  if (for_logstash_) MakeFitForLogstash(place, json.starts_with('['));
  if (HasEmptyPart(place)) std::replace(place.begin(), place.end(), '.', '_');

  Node* node = root_.get();
  std::string_view rest = place;
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    Node* next = node->Find(part);
    const bool is_new = next == nullptr;
    if (is_new) next = &node->Make(part);
    node = next;
    if (dot == std::string_view::npos) {
      if (!is_new && node->is_value()) return;
      if (!is_new) {
        if (node->Find("value") != nullptr) return;
        node = &node->Make("value");
      }
      break;
    }
    if (node->is_value()) node->TurnIntoObject();
    rest.remove_prefix(dot + 1);
  }
  if (hole == DocumentPiece::kNoHole) {
    node->json = std::move(json);
  } else {
    node->hole = hole;
  }
}

std::vector<DocumentPiece> DocumentTree::Pieces() const {
  std::vector<DocumentPiece> pieces(1);
  Write(*root_, pieces);
  return pieces;
}

void DocumentTree::Write(const Node& node, std::vector<DocumentPiece>& pieces) {
  if (node.json.has_value()) {
    pieces.back().text += *node.json;
    return;
  }
  if (node.hole != DocumentPiece::kNoHole) {
    pieces.back().hole = node.hole;
    pieces.emplace_back();
    return;
  }
  pieces.back().text += '{';
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) pieces.back().text += ',';
    pieces.back().text += JsonString(node.children[i]->name) + ':';
    Write(*node.children[i], pieces);
  }
  pieces.back().text += '}';
}

}  // namespace agent
