#include "outputs/loki/stream_name.h"

namespace agent {
namespace {

constexpr std::string_view kTenantLabel = "__tenant_id__";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_';
}

std::string Repaired(std::string_view name) {
  std::string repaired;
  if (name.empty() || IsDigit(name.front())) repaired += '_';
  for (const char c : name)
    repaired += IsNameCharacter(c) ? c : '_';
  return repaired;
}

}  // namespace

StreamName NameStream(const Labels& labels, const Labels& external, std::string_view tenant_id) {
  Labels merged = external;
  for (const Label& label : labels)
    merged.Set(label.name, label.value);

  StreamName stream;
  const std::string* tenant = merged.Find(kTenantLabel);
  stream.tenant = tenant != nullptr ? *tenant : std::string(tenant_id);
  merged.Remove(kTenantLabel);

  bool any_value = false;
  for (const Label& label : merged) {
    any_value = any_value || !label.value.empty();
    stream.repaired = stream.repaired || !IsValidLabelName(label.name);
  }
  stream.refused = !any_value;
  if (stream.repaired) {
    Labels repaired;
    for (const Label& label : merged) {
      const std::string name = IsValidLabelName(label.name) ? label.name : Repaired(label.name);
      if (!repaired.Has(name)) repaired.Set(name, label.value);
    }
    merged = std::move(repaired);
  }
  stream.text = FormatLabels(merged);
  return stream;
}

}  // namespace agent
