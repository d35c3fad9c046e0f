#include "agent/receivers/syslog/syslog_labels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

// Forgotten all at once when there are more.
constexpr std::size_t kMaxKnown = 4096;

constexpr std::array<std::string_view, 8> kNames = {
    "__syslog_connection_ip_address", "__syslog_connection_hostname", "__syslog_message_severity",
    "__syslog_message_facility",      "__syslog_message_hostname",    "__syslog_message_app_name",
    "__syslog_message_proc_id",       "__syslog_message_msg_id"};
constexpr std::size_t kConnectionHostname = 1;
constexpr std::string_view kStructuredData = "__syslog_message_sd_";

// In the order of kNames.
std::array<std::string_view, kNames.size()> Values(const SyslogPeer& peer,
                                                   const SyslogMessage* message) {
  if (message == nullptr) return {peer.ip_address, peer.hostname};
  return {peer.ip_address,
          peer.hostname,
          SyslogSeverityName(message->severity),
          SyslogFacilityName(message->facility),
          message->hostname,
          message->app_name,
          message->proc_id,
          message->msg_id};
}

void AppendToKey(std::string_view value, std::string& key) {
  const auto size = static_cast<uint32_t>(value.size());
  for (uint32_t shift = 0; shift < 32; shift += 8)
    key += static_cast<char>(size >> shift & 0xffU);
  key += value;
}

void SetStructuredData(const SyslogMessage& message, Labels& labels) {
  for (const SyslogElement& element : message.structured_data) {
    std::string prefix = std::string(kStructuredData) + std::string(element.id) + "_";
    std::replace(prefix.begin(), prefix.end(), '@', '_');
    for (const auto& [name, value] : element.parameters)
      labels.Set(prefix + std::string(name), value);
  }
}

Labels WithoutHidden(const Labels& labels) {
  Labels shown;
  for (const Label& label : labels) {
    if (!label.name.starts_with("__") && !label.value.empty()) shown.Set(label.name, label.value);
  }
  return shown;
}

// A labelmap makes a copy of that label.
bool Copies(const RelabelRule& rule, std::string_view name) {
  const auto relabeling = Relabeling::Compile({rule});
  CHECK(relabeling.ok());
  const Labels before = {{std::string(name), "x"}};
  Labels after = before;
  (*relabeling)->Apply(after);
  return after != before;
}

}  // namespace

SyslogLabels::SyslogLabels(Labels labels, const std::vector<RelabelRule>& rules,
                           bool structured_data)
    : labels_(std::move(labels)) {
  if (rules.empty()) return;
  auto relabeling = Relabeling::Compile(rules);
  CHECK(relabeling.ok());
  relabeling_ = std::move(*relabeling);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (Reads(kNames[i], rules)) reads_ |= 1U << i;
  }
  reads_structured_data_ = structured_data && Reads(kStructuredData, rules);
}

SyslogLabels::~SyslogLabels() = default;

bool SyslogLabels::Reads(std::string_view name, const std::vector<RelabelRule>& rules) const {
  const bool prefix = name == kStructuredData;
  const auto is_meant = [&](const std::string& read) {
    return prefix ? read.starts_with(name) : read == name;
  };
  return std::any_of(rules.begin(), rules.end(), [&](const RelabelRule& rule) {
    if (rule.action == RelabelAction::kLabelMap) return prefix || Copies(rule, name);
    return is_meant(rule.target_label) ||
           std::any_of(rule.source_labels.begin(), rule.source_labels.end(), is_meant);
  });
}

bool SyslogLabels::needs_hostname() const {
  return (reads_ >> kConnectionHostname & 1U) != 0;
}

Labels SyslogLabels::common() const {
  return WithoutHidden(labels_);
}

void SyslogLabels::MakeKey(const SyslogPeer& peer, const SyslogMessage* message) {
  key_.clear();
  const auto values = Values(peer, message);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((reads_ >> i & 1U) != 0) AppendToKey(values[i], key_);
  }
  if (!reads_structured_data_ || message == nullptr) return;
  for (const SyslogElement& element : message->structured_data) {
    for (const auto& [name, value] : element.parameters) {
      AppendToKey(element.id, key_);
      AppendToKey(name, key_);
      AppendToKey(value, key_);
    }
  }
}

const std::shared_ptr<const Labels>& SyslogLabels::For(const SyslogPeer& peer,
                                                       const SyslogMessage* message) {
  MakeKey(peer, message);
  if (has_last_ && key_ == last_key_) return last_;
  auto found = known_.find(key_);
  if (found == known_.end()) {
    if (known_.size() >= kMaxKnown) {
      known_.clear();
      shared_.clear();
    }
    found = known_.emplace(key_, Make(peer, message)).first;
  }
  last_key_ = key_;
  last_ = found->second;
  has_last_ = true;
  return last_;
}

std::shared_ptr<const Labels> SyslogLabels::Make(const SyslogPeer& peer,
                                                 const SyslogMessage* message) {
  Labels labels = labels_;
  if (relabeling_ != nullptr) {
    const auto values = Values(peer, message);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!values[i].empty()) labels.Set(kNames[i], values[i]);
    }
    if (reads_structured_data_ && message != nullptr) SetStructuredData(*message, labels);
    if (relabeling_->Apply(labels)) return nullptr;
  }
  labels = WithoutHidden(labels);
  std::shared_ptr<const Labels>& shared = shared_[FormatLabels(labels)];
  if (shared == nullptr) shared = std::make_shared<const Labels>(std::move(labels));
  return shared;
}

}  // namespace agent
