#include "agent/convert/beat_node.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include "agent/convert/yaml_out.h"
#include "base/config/scalars.h"

namespace agent::convert {

// Builds the tree.
class BeatReader {
 public:
  explicit BeatReader(Findings& findings) : findings_(findings) {}

  void Read(const ConfigNode& from, BeatNode& to, int depth) {
    if (depth > kMaxDepth) return;
    if (from.is_scalar()) {
      to.is_scalar_ = true;
      to.is_quoted_ = from.quoted();
      to.text_ = Variables(from.text(), to);
    }
    for (std::size_t i = 0; i < from.items().size(); ++i) {
      BeatNode& item = to.items_.emplace_back();
      item.name_ = '[' + std::to_string(i) + ']';
      item.path_ = to.path_ + item.name_;
      item.place_ = from.items()[i].place();
      Read(from.items()[i], item, depth + 1);
    }
    for (const auto& [key, value] : from.pairs())
      Read(value, Descend(to, key), depth + 1);
  }

 private:
  static constexpr int kMaxDepth = 100;

  static BeatNode& Descend(BeatNode& to, const ConfigNode& key) {
    BeatNode* node = &to;
    std::string_view name = key.text();
    // What is no name made of names stays whole.
    const bool whole = name.empty() || name.front() == '.' || name.back() == '.' ||
                       name.find("..") != std::string_view::npos ||
                       std::count(name.begin(), name.end(), '.') > kMaxDots;
    while (true) {
      const std::size_t dot = whole ? std::string_view::npos : name.find('.');
      node = &Child(*node, name.substr(0, dot), key.place());
      if (dot == std::string_view::npos) return *node;
      name.remove_prefix(dot + 1);
    }
  }

  static constexpr int kMaxDots = 16;

  static BeatNode& Child(BeatNode& to, std::string_view name, const Place& place) {
    const auto found = std::find_if(to.below_.begin(), to.below_.end(),
                                    [name](const BeatNode& node) { return node.name_ == name; });
    if (found != to.below_.end()) return *found;
    BeatNode& child = to.below_.emplace_back();
    child.name_ = name;
    child.path_ = to.path_.empty() ? child.name_ : to.path_ + '.' + child.name_;
    child.place_ = place;
    return child;
  }

  static bool IsVariable(std::string_view name) {
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(), [](char c) {
             return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
           });
  }

  // "${NAME:default}": ours is "${NAME:-default}".
  std::string Variables(std::string_view text, const BeatNode& node) {
    std::string out;
    while (true) {
      const std::size_t begin = text.find("${");
      const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
      out += text.substr(0, end == std::string_view::npos ? end : begin);
      if (end == std::string_view::npos) break;
      const std::string_view inside = text.substr(begin + 2, end - begin - 2);
      const std::size_t colon = std::min(inside.find(':'), inside.size());
      const std::string_view name = inside.substr(0, colon);
      if (IsVariable(name)) {
        std::string_view fallback = inside.substr(std::min(colon + 1, inside.size()));
        // An error message of "${NAME:?message}".
        if (fallback.starts_with('?')) fallback = {};
        if (fallback.starts_with('\'') && fallback.ends_with('\'') && fallback.size() > 1) {
          fallback = fallback.substr(1, fallback.size() - 2);
        }
        out += kVariableBegin + std::string(name) +
               (fallback.empty() ? "" : ":-" + std::string(fallback)) + kVariableEnd;
      } else {
        // "${data.host}" is of autodiscovery, and judged there.
        if (!name.starts_with("data.")) {
          findings_.Add(FindingKind::kNoEquivalent, node.place_, node.path_,
                        "the reference ${" + std::string(inside) +
                            "} is no variable of the environment: write what it stands for");
        }
        out += text.substr(begin, end - begin + 1);
      }
      text.remove_prefix(end + 1);
    }
    return out;
  }

  Findings& findings_;
};

BeatNode BeatNode::From(const ConfigNode& root, Findings& findings) {
  BeatNode node;
  BeatReader(findings).Read(root, node, 0);
  return node;
}

const BeatNode* BeatNode::Find(std::string_view path) const {
  const BeatNode* node = this;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view name = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    const auto found = std::find_if(node->below_.begin(), node->below_.end(),
                                    [name](const BeatNode& below) { return below.name_ == name; });
    if (found == node->below_.end()) return nullptr;
    node = &*found;
  }
  const bool nothing = !node->is_scalar_ && node->below_.empty() && node->items_.empty();
  return nothing ? nullptr : node;
}

std::string BeatNode::Text(std::string_view path, std::string_view default_value) const {
  const BeatNode* const node = Find(path);
  if (node == nullptr || !node->is_scalar_) return std::string(default_value);
  node->used_ = true;
  return node->text_;
}

bool BeatNode::Bool(std::string_view path, bool default_value) const {
  return ParseYamlBool(Text(path)).value_or(default_value);
}

std::vector<std::string> BeatNode::Texts(std::string_view path) const {
  const BeatNode* const node = Find(path);
  std::vector<std::string> texts;
  if (node == nullptr) return texts;
  if (node->is_scalar_) {
    node->used_ = true;
    texts.push_back(node->text_);
  }
  for (const BeatNode& item : node->items_) {
    if (!item.is_scalar_) continue;
    item.used_ = true;
    node->used_ = true;
    texts.push_back(item.text_);
  }
  return texts;
}

void BeatNode::UseAll() const {
  used_ = true;
  for (const BeatNode& node : below_)
    node.UseAll();
  for (const BeatNode& item : items_)
    item.UseAll();
}

void BeatNode::UseAll(std::string_view path) const {
  if (const BeatNode* const node = Find(path)) node->UseAll();
}

void BeatNode::ForEachLeaf(const Leaf& visit) const {
  for (const BeatNode& node : below_)
    node.ForEachLeafBelow(node.name_, visit);
}

void BeatNode::ForEachLeafBelow(const std::string& path, const Leaf& visit) const {
  if (below_.empty()) return visit(path, *this);
  for (const BeatNode& node : below_)
    node.ForEachLeafBelow(path + '.' + node.name_, visit);
}

bool BeatNode::AnyUsed() const {
  const auto used = [](const BeatNode& node) { return node.AnyUsed(); };
  return used_ || std::any_of(below_.begin(), below_.end(), used) ||
         std::any_of(items_.begin(), items_.end(), used);
}

void BeatNode::ReportUnused(Findings& findings) const {
  const bool nothing = !is_scalar_ && below_.empty() && items_.empty();
  if (nothing) return;
  if (!AnyUsed() && !path_.empty()) {
    findings.Add(FindingKind::kNoEquivalent, place_, path_, "is not known here, and left out");
    return;
  }
  for (const BeatNode& node : below_)
    node.ReportUnused(findings);
  for (const BeatNode& item : items_)
    item.ReportUnused(findings);
}

}  // namespace agent::convert
