#include "pipeline/json/json_writer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/utf8.h"

namespace agent {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool IsPlain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void AppendEscaped(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += static_cast<char>(c);
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 0xF];
  }
}

// Writes a tree without recursion: what is open is on a stack of its own.
class Writer {
 public:
  Writer(ExponentForm form, std::size_t limit, std::string& out)
      : form_(form), limit_(limit), out_(out) {}

  bool Write(const JsonNode& root) {
    if (!Begin(root)) return false;
    while (!open_.empty()) {
      if (out_.size() > limit_) return false;
      Container& container = open_.back();
      if (container.next == container.count) {
        out_ += container.node->type == JsonType::kArray ? ']' : '}';
        open_.pop_back();
        continue;
      }
      if (container.next > 0) out_ += ',';
      if (!Begin(Next(container))) return false;
    }
    return out_.size() <= limit_;
  }

 private:
  struct Container {
    const JsonNode* node;
    std::vector<JsonMember> sorted;  // Of an object.
    std::size_t count;
    std::size_t next = 0;
  };

  const JsonNode& Next(Container& container) {
    const std::size_t i = container.next++;
    if (container.node->type == JsonType::kArray) return *container.node->items[i];
    AppendJsonString(container.sorted[i].key, out_);
    out_ += ':';
    return *container.sorted[i].value;
  }

  // A scalar, or the opening of a container.
  bool Begin(const JsonNode& node) {
    switch (node.type) {
      case JsonType::kNull:
        out_ += "null";
        return true;
      case JsonType::kBool:
        out_ += node.boolean ? "true" : "false";
        return true;
      case JsonType::kNumber:
        if (!std::isfinite(node.number)) return false;
        AppendJsonNumber(node.number, form_, out_);
        return true;
      case JsonType::kString:
        AppendJsonString(node.text, out_);
        return true;
      case JsonType::kArray:
        out_ += '[';
        open_.push_back({&node, {}, node.items.size()});
        return true;
      case JsonType::kObject:
        break;
    }
    out_ += '{';
    Container object{&node, {node.members.begin(), node.members.end()}, node.members.size()};
    std::sort(object.sorted.begin(), object.sorted.end(),
              [](const JsonMember& a, const JsonMember& b) { return a.key < b.key; });
    open_.push_back(std::move(object));
    return true;
  }

  const ExponentForm form_;
  const std::size_t limit_;
  std::string& out_;
  std::vector<Container> open_;
};

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    std::size_t plain = i;
    while (plain < text.size() && IsPlain(static_cast<unsigned char>(text[plain])))
      ++plain;
    out.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) break;

    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      AppendEscaped(c, out);
      ++i;
      continue;
    }
    const DecodedRune rune = DecodeRune(text.substr(i));
    if (!rune.valid) {
      out += "\\ufffd";
    } else if (rune.rune == 0x2028 || rune.rune == 0x2029) {
      out += rune.rune == 0x2028 ? "\\u2028" : "\\u2029";
    } else {
      out.append(text, i, rune.size);
    }
    i += rune.size;
  }
  out += '"';
}

bool AppendJson(const JsonNode& node, ExponentForm form, std::size_t max_bytes, std::string& out) {
  const std::size_t before = out.size();
  if (Writer(form, before + max_bytes, out).Write(node)) return true;
  out.resize(before);
  return false;
}

}  // namespace agent
