#include "agent/config/yaml_writer.h"

#include <strings.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/config/scalars.h"

namespace agent {
namespace {

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool IsPlain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`<=~").find(text.front()) != std::string_view::npos) {
    return false;
  }
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) {
    return false;
  }
  if (text.find_first_of(",[]{}\\") != std::string_view::npos) return false;
  if (text == "null" || text == "Null" || text == "NULL") return false;
  // Anything that begins like a number might be one: times and versions too.
  const char first = text.front();
  if ((first >= '0' && first <= '9') || first == '+' || first == '.') {
    return !ParseYamlFloat(text) && text.find(':') == std::string_view::npos;
  }
  return !ParseYamlBool(text);
}

std::string DoubleQuoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (IsControl(c)) {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xfU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string QuotedYaml(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), IsControl)) return DoubleQuoted(text);
  if (IsPlain(text)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += '\'';
  }
  return out + "'";
}

void YamlWriter::Indent() {
  if (after_dash_) {
    after_dash_ = false;
    return;
  }
  out_.append(indent_, ' ');
}

void YamlWriter::Key(std::string_view key) {
  Indent();
  out_ += QuotedYaml(key) + ":";
}

void YamlWriter::Text(std::string_view key, std::string_view text) {
  Word(key, QuotedYaml(text));
}

void YamlWriter::Word(std::string_view key, std::string_view word) {
  Key(key);
  out_ += " ";
  out_ += word;
  out_ += "\n";
}

void YamlWriter::Secret(std::string_view key, std::string_view text) {
  if (!text.empty()) Word(key, "<secret>");
}

void YamlWriter::OptionalText(std::string_view key, std::string_view text) {
  if (!text.empty()) Text(key, text);
}

void YamlWriter::BeginMap(std::string_view key) {
  Key(key);
  out_ += "\n";
  indent_ += kStep;
}

void YamlWriter::BeginList(std::string_view key) {
  BeginMap(key);
}

void YamlWriter::BeginItem() {
  Indent();
  out_ += "- ";
  after_dash_ = true;
  indent_ += kStep;
}

void YamlWriter::Item(std::string_view text) {
  Indent();
  out_ += "- " + QuotedYaml(text) + "\n";
}

void YamlWriter::Node(std::string_view key, const ConfigNode& node) {
  Key(key);
  Children(node, /*is_redact=*/key == "redact");
}

// Behind "key:" or "-".
void YamlWriter::Children(const ConfigNode& node, bool is_redact) {
  if (node.is_scalar()) {
    const bool plain = !node.quoted() && (node.IsBool() || node.IsNumber());
    out_ += " " + (plain ? node.text() : QuotedYaml(node.text())) + "\n";
  } else if (node.is_null()) {
    out_ += "\n";
  } else if (node.items().empty() && node.pairs().empty()) {
    out_ += node.is_sequence() ? " []\n" : " {}\n";
  } else {
    out_ += "\n";
    indent_ += kStep;
    for (const ConfigNode& item : node.items()) {
      out_.append(indent_, ' ');
      out_ += "-";
      Children(item, /*is_redact=*/false);
    }
    for (const auto& [name, value] : node.pairs()) {
      // Keys of a stage are written in any case.
      const bool is_secret = is_redact && strcasecmp(name.text().c_str(), "key") == 0;
      if (is_secret) {
        Secret(name.text(), value.text());
      } else {
        Node(name.text(), value);
      }
    }
    indent_ -= kStep;
  }
}

}  // namespace agent
