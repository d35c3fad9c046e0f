// yaml-cpp's parser, driven by events rather than through its nodes: events know where an alias
// stands, and let a bomb be refused before it is built. Its exceptions end in this file.

#include "base/config/yaml.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/config/yaml_text.h"

namespace agent {
namespace {

constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::string_view kMergeKey = "<<";

struct Explanation {
  std::string_view theirs;  // How yaml-cpp's message begins.
  std::string_view message;
  std::string_view hint;
};

// What yaml-cpp says is for people who know its insides.
constexpr std::array kExplanations = std::to_array<Explanation>({
    {"illegal map value", "unexpected ':'",
     "put a text that has ': ' in it in quotes, or check the indentation"},
    {"end of map not found", "expected a key or the end of the map",
     "check the quotes and the indentation before this place"},
    {"end of sequence not found", "expected '- ' or the end of the list",
     "check the indentation before this place"},
    {"end of sequence flow not found", "expected ',' or ']'", ""},
    {"end of map flow not found", "expected ',' or '}'", ""},
    {"illegal block entry", "unexpected '-'", "check the indentation"},
    {"illegal map key", "unexpected '?'", "put the text in quotes"},
    {"illegal flow end", "unexpected closing bracket", "put the text in quotes"},
    {"unknown token", "a plain text cannot start with this character", "put the text in quotes"},
    {"the referenced anchor is not defined", "unknown alias",
     "its anchor, '&name', must stand before it"},
    {"bad character found while scanning hex number",
     "bad number after a backslash in double quotes",
     "in single quotes a backslash is a backslash"},
    {"unknown escape character", "unknown escape in double quotes",
     "in single quotes a backslash is a backslash"},
    {"illegal tab when looking for indentation", "a tab cannot indent", "use spaces"},
});

ConfigNode::Kind KindOfTag(const std::string& tag, ConfigNode::Kind kind) {
  return tag == "tag:yaml.org,2002:null" ? ConfigNode::Kind::kNull : kind;
}

std::size_t CountNodes(const ConfigNode& node) {
  std::size_t count = 1;
  for (const ConfigNode& item : node.items())
    count += CountNodes(item);
  for (const auto& [key, value] : node.pairs())
    count += 1 + CountNodes(value);
  return count;
}

}  // namespace

// Builds the tree from the parser's events.
class YamlLoader final : public YAML::EventHandler {
 public:
  YamlLoader(std::string_view text, Problems& problems) : text_(text), problems_(problems) {}

  ConfigNode Load();

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { Close(); }

 private:
  // A list or map that is being read.
  struct Frame {
    ConfigNode node;
    YAML::anchor_t anchor = 0;
    std::optional<ConfigNode> key;                // Of the value that comes next.
    std::unordered_map<std::string, Place> keys;  // Of a map, so far.
    std::vector<ConfigNode> merges;               // Values of "<<".
  };
  struct Anchored {
    ConfigNode node;
    std::size_t count = 0;
  };

  [[noreturn]] static void Fail(const YAML::Mark& mark, const std::string& message) {
    throw YAML::ParserException(mark, message);
  }
  void Count(const YAML::Mark& mark, std::size_t nodes);
  void Open(const YAML::Mark& mark, ConfigNode::Kind kind, YAML::anchor_t anchor);
  void Close();
  // A complete node: goes into the list or map that is open, or is the document.
  void Add(ConfigNode node, YAML::anchor_t anchor);
  void AddKey(Frame& frame, ConfigNode node);
  void AddValue(Frame& frame, ConfigNode node);
  void Merge(Frame& frame);
  void MergeMap(Frame& frame, ConfigNode source);
  void CheckClosed(const ConfigNode& scalar, const ScalarText& source);
  void Report(const YAML::Exception& error);

  const YamlText text_;
  Problems& problems_;
  std::vector<Frame> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  ConfigNode root_;
  std::size_t documents_ = 0;
  std::size_t nodes_ = 0;
  bool failed_ = false;
  // The last quoted text over several lines: often a closing quote that is missing.
  Place long_quote_;
  uint32_t long_quote_end_line_ = 0;
};

ConfigNode YamlLoader::Load() {
  std::istringstream stream{std::string(text_.text())};
  try {
    YAML::Parser parser(stream);
    while (!failed_ && parser.HandleNextDocument(*this)) {
    }
  } catch (const YAML::Exception& error) {
    Report(error);
  }
  return failed_ ? ConfigNode() : std::move(root_);
}

void YamlLoader::Report(const YAML::Exception& error) {
  failed_ = true;
  Place place{static_cast<uint32_t>(error.mark.line + 1),
              static_cast<uint32_t>(error.mark.column + 1), 1};
  std::string message = error.msg;
  std::string hint;
  for (const Explanation& explanation : kExplanations) {
    if (!error.msg.starts_with(explanation.theirs)) continue;
    message = explanation.message;
    hint = explanation.hint;
  }
  if (const std::optional<Place> tab = text_.IndentingTab(place.line)) {
    place = *tab;
    message = "a tab cannot indent";
    hint = "use spaces";
  } else if (long_quote_end_line_ != 0 && place.line >= long_quote_end_line_ &&
             place.line <= long_quote_end_line_ + 1) {
    hint = "the quote opened in line " + std::to_string(problems_.Original(long_quote_).line) +
           " ends only here: is its closing quote missing?";
  }
  problems_.Error(place, {}, std::move(message), std::move(hint));
}

void YamlLoader::OnDocumentStart(const YAML::Mark& /*mark*/) {
  ++documents_;
}

void YamlLoader::Count(const YAML::Mark& mark, std::size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > kMaxNodes)
    Fail(mark, "too large: more than 1,000,000 values, aliases counted in full");
  if (documents_ > 1) {
    const bool marked =
        text_.From(text_.StartOf(mark.line)).starts_with("---") ||
        (mark.line > 0 && text_.From(text_.StartOf(mark.line - 1)).starts_with("---"));
    Fail(mark, marked ? "a second document: a configuration is one document"
                      : "unexpected text after the end: check the indentation");
  }
}

void YamlLoader::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  // Nothing behind a last "---". Not more often: a stray ',' makes yaml-cpp find empty documents
  // for ever.
  if (documents_ == 2 && open_.empty()) return;
  Count(mark, 1);
  ConfigNode node;
  if (const std::size_t length = text_.ExplicitNull(mark.line, mark.column)) {
    node.place_ = text_.PlaceAt(mark.line, mark.column, length);
  } else if (!open_.empty() && open_.back().key) {
    node.place_ = open_.back().key->place_;
  } else {
    node.place_ = text_.EmptyItem(mark.line, mark.column);
  }
  Add(std::move(node), anchor);
}

void YamlLoader::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) Fail(mark, "an alias inside of what it stands for");
  Count(mark, found->second.count);
  ConfigNode node = found->second.node;
  node.place_ = text_.PlaceAt(mark.line, mark.column, text_.TokenLength(mark.line, mark.column));
  Add(std::move(node), 0);
}

void YamlLoader::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          const std::string& value) {
  Count(mark, 1);
  const ScalarText source = text_.Scalar(mark.line, mark.column, value);
  ConfigNode node;
  node.kind_ = KindOfTag(tag, ConfigNode::Kind::kScalar);
  node.quoted_ = tag != "?" && !tag.starts_with("tag:yaml.org,2002:int") &&
                 !tag.starts_with("tag:yaml.org,2002:float") &&
                 !tag.starts_with("tag:yaml.org,2002:bool");
  node.single_quoted_ = source.style == ScalarText::Style::kSingleQuoted;
  node.place_ = source.place;
  if (node.kind_ == ConfigNode::Kind::kScalar) node.text_ = value;
  CheckClosed(node, source);
  Add(std::move(node), anchor);
}

void YamlLoader::CheckClosed(const ConfigNode& scalar, const ScalarText& source) {
  if (!source.closed) {
    problems_.Error(scalar.place_, {}, "this quote is never closed",
                    std::string("add the closing ") + (scalar.single_quoted_ ? "'" : "\"") +
                        " at the end of the text");
    failed_ = true;
  }
  if (source.end_line > scalar.place_.line) {
    long_quote_ = scalar.place_;
    long_quote_end_line_ = source.end_line;
  }
}

void YamlLoader::OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                                 YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
  Open(mark, ConfigNode::Kind::kSequence, anchor);
}

void YamlLoader::OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/,
                            YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) {
  Open(mark, ConfigNode::Kind::kMap, anchor);
}

void YamlLoader::Open(const YAML::Mark& mark, ConfigNode::Kind kind, YAML::anchor_t anchor) {
  Count(mark, 1);
  if (open_.size() >= kMaxDepth) Fail(mark, "nested more than 100 levels deep");
  Frame& frame = open_.emplace_back();
  frame.node.kind_ = kind;
  frame.node.place_ = text_.SkipProperties(mark.line, mark.column);
  frame.anchor = anchor;
}

void YamlLoader::Close() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (!frame.merges.empty()) Merge(frame);
  Add(std::move(frame.node), frame.anchor);
}

void YamlLoader::Add(ConfigNode node, YAML::anchor_t anchor) {
  if (anchor != 0) {
    const std::size_t count = CountNodes(node);
    nodes_ += count;  // The copy costs as much.
    anchors_[anchor] = Anchored{node, count};
  }
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = open_.back();
  if (frame.node.kind_ == ConfigNode::Kind::kSequence) {
    frame.node.items_.push_back(std::move(node));
  } else if (!frame.key) {
    AddKey(frame, std::move(node));
  } else {
    AddValue(frame, std::move(node));
  }
}

void YamlLoader::AddKey(Frame& frame, ConfigNode node) {
  if (!node.is_scalar()) {
    problems_.Error(node.place_, {},
                    "a key must be a text, this is " + std::string(node.KindName()),
                    "put it in quotes");
    failed_ = true;
  }
  frame.key = std::move(node);
}

void YamlLoader::AddValue(Frame& frame, ConfigNode node) {
  ConfigNode key = std::move(*frame.key);
  frame.key.reset();
  if (key.text_ == kMergeKey && !key.quoted_) {
    frame.merges.push_back(std::move(node));
    return;
  }
  const auto [first, fresh] = frame.keys.try_emplace(key.text_, key.place_);
  if (!fresh) {
    const Place place = problems_.Original(first->second);
    problems_.Error(
        key.place_, {}, "the key '" + key.text_ + "' is given twice",
        "first in line " + std::to_string(place.line) + ", column " + std::to_string(place.column));
  }
  frame.node.pairs_.emplace_back(std::move(key), std::move(node));
}

// A map's own keys win over merged ones, and an earlier merged map over a later one.
void YamlLoader::Merge(Frame& frame) {
  for (ConfigNode& source : frame.merges) {
    if (!source.is_sequence()) {
      MergeMap(frame, std::move(source));
      continue;
    }
    for (ConfigNode& item : source.items_)
      MergeMap(frame, std::move(item));
  }
}

void YamlLoader::MergeMap(Frame& frame, ConfigNode source) {
  if (!source.is_map()) {
    problems_.Error(
        source.place_, {},
        "'<<' merges a map or a list of maps, this is " + std::string(source.KindName()));
    return;
  }
  for (ConfigNode::Pair& pair : source.pairs_) {
    if (frame.keys.try_emplace(pair.first.text_, pair.first.place_).second) {
      frame.node.pairs_.push_back(std::move(pair));
    }
  }
}

ConfigNode LoadYaml(std::string_view text, Problems& problems) {
  if (const std::optional<TextProblem> problem = CheckYamlText(text)) {
    problems.Error(problem->place, {}, problem->message, problem->hint);
    return {};
  }
  return YamlLoader(text, problems).Load();
}

}  // namespace agent
