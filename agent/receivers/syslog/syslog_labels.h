// The labels that the entry of a syslog message starts with: those of the job, and what
// `relabel_configs` make of `__syslog_…`. Messages of one stream share one set, and the rules are
// applied to what is new only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/receivers/syslog/syslog_message.h"
#include "base/labels.h"
#include "discovery/relabel.h"

namespace agent {

// Who sends.
struct SyslogPeer {
  std::string ip_address;
  std::string hostname;  // Names of the address, joined by commas; empty: there is none.
};

// Loop thread.
class SyslogLabels {
 public:
  // `rules` pass CheckRelabelRule. `structured_data`: as `label_structured_data` says.
  SyslogLabels(Labels labels, const std::vector<RelabelRule>& rules, bool structured_data);
  SyslogLabels(const SyslogLabels&) = delete;
  SyslogLabels& operator=(const SyslogLabels&) = delete;
  ~SyslogLabels();

  // Null: a rule drops it. `message` may be null, when nothing of it could be read. Valid until the
  // next call.
  const std::shared_ptr<const Labels>& For(const SyslogPeer& peer, const SyslogMessage* message);

  // A rule reads the name of the sender's address: only then it is worth a question.
  [[nodiscard]] bool needs_hostname() const;
  // Those of the job, as entries have them without rules.
  [[nodiscard]] Labels common() const;
  // Sets that are remembered; bounded.
  [[nodiscard]] std::size_t remembered() const { return known_.size(); }

 private:
  using Known = std::unordered_map<std::string, std::shared_ptr<const Labels>>;

  [[nodiscard]] bool Reads(std::string_view name, const std::vector<RelabelRule>& rules) const;
  // What the rules look at, as one text.
  void MakeKey(const SyslogPeer& peer, const SyslogMessage* message);
  [[nodiscard]] std::shared_ptr<const Labels> Make(const SyslogPeer& peer,
                                                   const SyslogMessage* message);

  const Labels labels_;
  std::unique_ptr<const Relabeling> relabeling_;  // Null: there are no rules.
  uint32_t reads_ = 0;                            // Fields, as bits.
  bool reads_structured_data_ = false;
  Known known_;   // By key.
  Known shared_;  // By FormatLabels(): equal sets are one.
  std::string key_;
  std::string last_key_;
  std::shared_ptr<const Labels> last_;
  bool has_last_ = false;
};

}  // namespace agent
