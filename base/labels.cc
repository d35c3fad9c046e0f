#include "base/labels.h"

#include <algorithm>

#include "base/go_format.h"

namespace agent {
namespace {

// The first label whose name is not less than `name`.
template <typename Vector>
auto LowerBound(Vector& labels, std::string_view name) {
  return std::lower_bound(
      labels.begin(), labels.end(), name,
      [](const Label& label, std::string_view wanted) { return label.name.compare(wanted) < 0; });
}

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

Labels::Labels(std::initializer_list<Label> labels) {
  for (const Label& label : labels)
    Set(label.name, label.value);
}

void Labels::Set(std::string_view name, std::string_view value) {
  const auto at = LowerBound(labels_, name);
  if (at != labels_.end() && at->name == name) {
    at->value = value;
  } else {
    labels_.insert(at, Label{std::string(name), std::string(value)});
  }
}

void Labels::Remove(std::string_view name) {
  const auto at = LowerBound(labels_, name);
  if (at != labels_.end() && at->name == name) labels_.erase(at);
}

const std::string* Labels::Find(std::string_view name) const {
  const auto at = LowerBound(labels_, name);
  return at != labels_.end() && at->name == name ? &at->value : nullptr;
}

std::string_view Labels::Value(std::string_view name) const {
  const std::string* value = Find(name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

std::string FormatLabels(const Labels& labels) {
  std::string out = "{";
  for (const Label& label : labels) {
    if (out.size() > 1) out += ", ";
    out += label.name;
    out += '=';
    AppendGoQuoted(label.value, out);
  }
  out += '}';
  return out;
}

bool IsValidLabelName(std::string_view name) {
  return !name.empty() && IsNameStart(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return IsNameStart(c) || (c >= '0' && c <= '9');
  });
}

}  // namespace agent
