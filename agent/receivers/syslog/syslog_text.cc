#include "agent/receivers/syslog/syslog_text.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace agent {
namespace {

constexpr std::size_t kMaxFractionDigits = 6;

void AppendField(std::string_view text, std::string& out) {
  out += ' ';
  out += text.empty() ? std::string_view("-") : text;
}

// "2006-01-02T15:04:05.120000+00:00" becomes "2006-01-02T15:04:05.12Z".
void AppendTimestamp(std::string_view text, std::string& out) {
  if (text.empty()) return AppendField(text, out);
  const std::size_t seconds_end =
      std::min(text.find_first_of(".,Zz+-", text.find(':')), text.size());
  out += ' ';
  out += text.substr(0, seconds_end);
  std::string_view rest = text.substr(seconds_end);
  if (rest.starts_with('.') || rest.starts_with(',')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    std::string_view digits = rest.substr(1, std::min(end - 1, kMaxFractionDigits));
    while (digits.ends_with('0'))
      digits.remove_suffix(1);
    if (!digits.empty()) (out += '.') += digits;
    rest.remove_prefix(end);
  }
  out += rest == "+00:00" || rest == "-00:00" ? std::string_view("Z") : rest;
}

void AppendValue(std::string_view value, std::string& out) {
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
}

void AppendStructuredData(const SyslogMessage& message, std::string& out) {
  if (message.structured_data.empty()) return AppendField("", out);
  out += ' ';
  // By identifier, then by name; of equal names the last counts.
  std::map<std::string_view, std::map<std::string_view, std::string_view>> elements;
  for (const SyslogElement& element : message.structured_data) {
    auto& parameters = elements[element.id];
    for (const auto& [name, value] : element.parameters)
      parameters[name] = value;
  }
  for (const auto& [id, parameters] : elements) {
    (out += '[') += id;
    for (const auto& [name, value] : parameters) {
      ((out += ' ') += name) += "=\"";
      AppendValue(value, out);
      out += '"';
    }
    out += ']';
  }
}

}  // namespace

std::string FormatRfc5424(const SyslogMessage& message) {
  std::string out = "<" + std::to_string(message.facility * 8 + message.severity) + ">";
  out += message.version;
  AppendTimestamp(message.timestamp, out);
  AppendField(message.hostname, out);
  AppendField(message.app_name, out);
  AppendField(message.proc_id, out);
  AppendField(message.msg_id, out);
  AppendStructuredData(message, out);
  if (!message.message.empty()) (out += ' ') += message.message;
  return out;
}

}  // namespace agent
