// Which index an entry goes to.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/entry.h"
#include "base/label_sets.h"
#include "outputs/elasticsearch/elasticsearch_options.h"

namespace agent::elasticsearch {

// Used by one worker's thread.
class IndexChooser {
 public:
  explicit IndexChooser(const ElasticsearchOptions& options);

  enum class Outcome : uint8_t {
    kAsIs,
    kRepaired,  // Characters that no index may have were replaced.
    kFallback,  // A value was missing, or there are too many indices.
    kNone,      // No index: and there is no fallback.
  };
  // Sets name(), which is good until the next call.
  Outcome Choose(const Entry& entry, const Labels& labels, int64_t now_ns);
  [[nodiscard]] std::string_view name() const { return name_; }

 private:
  [[nodiscard]] const EventPattern& PatternFor(const Entry& entry, const Labels& labels) const;
  Outcome UseFallback();
  // Whether one more may be used in this hour.
  bool Admit(int64_t now_ns);

  const ElasticsearchOptions& options_;
  std::string fallback_;
  std::vector<std::optional<EventPattern>> rule_fields_;  // Of `options_.indices`.
  std::string expanded_;
  std::string last_expanded_;
  std::string name_;
  Outcome last_ = Outcome::kNone;
  std::unordered_set<std::string> used_;  // In this hour.
  int64_t hour_began_ns_ = 0;
};

// Lower case, without what Elasticsearch allows in no index, at most 255 bytes. True when anything
// but case had to be changed.
bool MakeIndexName(std::string& name);

}  // namespace agent::elasticsearch
