#include "agent/convert/yaml_out.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>

#include "base/config/scalars.h"

namespace agent::convert {
namespace {

constexpr std::size_t kFlowWidth = 72;
constexpr std::string_view kHex = "0123456789abcdef";

bool IsPlain(std::string_view text) {
  if (text.empty() || text == "null" || text == "Null" || text == "NULL") return false;
  if (ParseYamlBool(text) || ParseYamlFloat(text)) return false;
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '/' ||
           c == '-' || c == '@' || c == ' ' || c == '+' || c == '*';
  };
  const char first = text.front();
  const bool begins =
      std::isalnum(static_cast<unsigned char>(first)) != 0 || first == '/' || first == '_';
  return begins && text.back() != ' ' && std::all_of(text.begin(), text.end(), fits);
}

bool NeedsEscapes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != kVariableBegin && c != kVariableEnd) || byte >= 0x7f;
  });
}

std::string InDoubleQuotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if ((byte < ' ' && c != kVariableBegin && c != kVariableEnd) || byte == 0x7f) {
      quoted += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xfU]};
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string Quoted(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  if (NeedsEscapes(text)) return InDoubleQuotes(text);
  std::string quoted = "'";
  for (const char c : text)
    quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + '\'';
}

// What the expansion of variables takes for something else: "${", "$$", and pairs of a backslash
// with a backslash or a slash.
std::string ForExpansion(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '$' && (next == '{' || next == '$')) {
      escaped += "$$";
    } else if (c == '\\' && (next == '\\' || next == '/')) {
      escaped += {'\\', '\\'};
      if (next == '\\') {
        escaped += {'\\', '\\'};
        ++i;
      }
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string WithVariables(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == kVariableBegin) {
      out += "${";
    } else if (c == kVariableEnd) {
      out += '}';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

class YamlOut::Printer {
 public:
  explicit Printer(bool expanded) : expanded_(expanded) {}

  std::string TopLevel(const YamlOut& root) {
    Comments(root, 0);
    if (!root.comments_.empty() && !root.pairs_.empty()) out_ += '\n';
    for (std::size_t i = 0; i < root.pairs_.size(); ++i) {
      if (i > 0) out_ += '\n';
      PrintPair(root.pairs_[i], 0);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string Scalar(const YamlOut& node) const {
    const std::string text = node.kind_ == Kind::kWord ? node.text_ : Quoted(node.text_);
    return WithVariables(expanded_ ? ForExpansion(text) : text);
  }

  [[nodiscard]] std::string KeyText(const std::string& key) const {
    const std::string text = Quoted(key);
    return WithVariables(expanded_ ? ForExpansion(text) : text);
  }

  // What has a place in one line.
  [[nodiscard]] std::optional<std::string> Flow(const YamlOut& node, int depth) const {
    if (!node.comments_.empty() || depth > 2) return std::nullopt;
    if (node.kind_ == Kind::kText || node.kind_ == Kind::kWord) return Scalar(node);
    const bool is_map = node.kind_ == Kind::kMap;
    const bool of_maps = std::any_of(node.items_.begin(), node.items_.end(),
                                     [](const YamlOut& item) { return item.kind_ == Kind::kMap; });
    if (of_maps) return std::nullopt;
    std::string text(1, is_map ? '{' : '[');
    const auto add = [&](const std::string& key, const YamlOut& value) {
      const auto flow = Flow(value, depth + 1);
      if (!flow) return false;
      text += (text.size() > 1 ? ", " : "") + key + *flow;
      return text.size() <= kFlowWidth;
    };
    for (const auto& [key, value] : node.pairs_) {
      if (!add(KeyText(key) + ": ", value)) return std::nullopt;
    }
    for (const YamlOut& item : node.items_) {
      if (!add("", item)) return std::nullopt;
    }
    return text + (is_map ? '}' : ']');
  }

  void Comments(const YamlOut& node, std::size_t indent) {
    for (const std::string& line : node.comments_) {
      out_ += std::string(indent, ' ') + "# " + (expanded_ ? ForExpansion(line) : line) + '\n';
    }
  }

  void PrintPair(const Pair& pair, std::size_t indent) {
    Comments(pair.second, indent);
    out_ += std::string(indent, ' ');
    PrintPairHere(pair, indent);
  }

  // Behind what stands in the line already.
  void PrintPairHere(const Pair& pair, std::size_t indent) {
    out_ += KeyText(pair.first) + ':';
    const YamlOut& value = pair.second;
    YamlOut bare = value;
    bare.comments_.clear();
    const bool section =
        indent == 0 && !value.empty() && value.kind_ != Kind::kText && value.kind_ != Kind::kWord;
    const auto flow = section ? std::nullopt : Flow(bare, 0);
    if (flow) {
      out_ += ' ' + *flow + '\n';
      return;
    }
    out_ += '\n';
    for (const Pair& below : value.pairs_)
      PrintPair(below, indent + 2);
    for (const YamlOut& item : value.items_)
      PrintItem(item, indent + 2);
  }

  void PrintItem(const YamlOut& item, std::size_t indent) {
    Comments(item, indent);
    if (!item.pairs_.empty()) Comments(item.pairs_.front().second, indent);
    out_ += std::string(indent, ' ') + "- ";
    YamlOut bare = item;
    bare.comments_.clear();
    if (const auto flow = Flow(bare, 0)) {
      // A single key stands without braces: "- regex: {expression: x}".
      const bool one = bare.kind_ == Kind::kMap && bare.pairs_.size() == 1;
      out_ += (one ? flow->substr(1, flow->size() - 2) : *flow) + '\n';
      return;
    }
    bool first = true;
    for (const Pair& pair : item.pairs_) {
      if (first) {
        PrintPairHere(pair, indent + 2);
      } else {
        PrintPair(pair, indent + 2);
      }
      first = false;
    }
    if (item.pairs_.empty()) out_ += "[]\n";  // Lists of lists are not made.
  }

  const bool expanded_;
  std::string out_;
};

YamlOut YamlOut::Text(std::string_view text) {
  YamlOut out;
  out.kind_ = Kind::kText;
  out.text_ = text;
  return out;
}

YamlOut YamlOut::Word(std::string_view word) {
  YamlOut out;
  out.kind_ = Kind::kWord;
  out.text_ = word;
  return out;
}

YamlOut YamlOut::List() {
  YamlOut out;
  out.kind_ = Kind::kList;
  return out;
}

YamlOut YamlOut::Texts(const std::vector<std::string>& texts) {
  YamlOut out = List();
  for (const std::string& text : texts)
    out.Add(Text(text));
  return out;
}

YamlOut YamlOut::Map(std::vector<Pair> pairs) {
  YamlOut out;
  out.pairs_ = std::move(pairs);
  return out;
}

YamlOut& YamlOut::operator[](std::string_view key) {
  const auto found = std::find_if(pairs_.begin(), pairs_.end(),
                                  [key](const Pair& pair) { return pair.first == key; });
  if (found != pairs_.end()) return found->second;
  pairs_.emplace_back(std::string(key), YamlOut());
  return pairs_.back().second;
}

YamlOut& YamlOut::Add(YamlOut item) {
  kind_ = Kind::kList;
  items_.push_back(std::move(item));
  return items_.back();
}

YamlOut& YamlOut::Comment(std::string_view line) {
  std::string text(line);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  comments_.push_back(std::move(text));
  return *this;
}

bool YamlOut::Has(std::string_view key) const {
  return std::any_of(pairs_.begin(), pairs_.end(),
                     [key](const Pair& pair) { return pair.first == key; });
}

bool YamlOut::HasVariables() const {
  return text_.find(kVariableBegin) != std::string::npos ||
         std::any_of(pairs_.begin(), pairs_.end(),
                     [](const Pair& pair) {
                       return pair.first.find(kVariableBegin) != std::string::npos ||
                              pair.second.HasVariables();
                     }) ||
         std::any_of(items_.begin(), items_.end(),
                     [](const YamlOut& item) { return item.HasVariables(); });
}

std::string YamlOut::Print(bool expanded) const {
  return Printer(expanded).TopLevel(*this);
}

}  // namespace agent::convert
