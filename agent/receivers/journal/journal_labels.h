// What the entries of a job's journal are labelled with: relabelling runs once for each combination
// of the fields that its rules read.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/receivers/journal/journal_fields.h"
#include "base/labels.h"
#include "discovery/relabel.h"

namespace agent {

class JournalLabels {
 public:
  enum class Outcome : uint8_t {
    kLabels,
    kDropped,  // By a rule.
    kNone,     // No label is left.
  };
  struct Labelled {
    Outcome outcome = Outcome::kNone;
    Labels labels;
  };

  // `constant` goes over what the fields say. `relabeling` is compiled from `rules`.
  JournalLabels(Labels constant, const std::vector<RelabelRule>& rules,
                std::shared_ptr<const Relabeling> relabeling);

  // The rules read every field there is.
  [[nodiscard]] bool wants_all() const { return wants_all_; }
  // Else these.
  [[nodiscard]] const std::vector<std::string>& wanted() const { return wanted_; }

  // Of the entry with these fields. Valid until Trim().
  const Labelled& Find(const JournalFields& fields);
  // Forgets what it knows when that is much.
  void Trim();

  // What it knows takes about this much.
  [[nodiscard]] std::size_t known_bytes() const { return known_bytes_; }

 private:
  [[nodiscard]] Labelled Resolve(const JournalFields& fields) const;

  const Labels constant_;
  const std::shared_ptr<const Relabeling> relabeling_;
  bool wants_all_ = false;
  std::vector<std::string> wanted_;
  std::string key_;
  std::unordered_map<std::string, Labelled> known_;
  std::size_t known_bytes_ = 0;  // Of the keys.
};

}  // namespace agent
