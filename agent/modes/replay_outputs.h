// The outputs of a configuration, as the replay of a dead letter uses them: entries go in one by
// one, and it is counted what became of them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/config.h"
#include "agent/generation.h"
#include "agent/modes/dead_letter_file.h"
#include "base/label_sets.h"
#include "base/source_progress.h"
#include "outputs/dead_letter.h"
#include "outputs/document/document_replay.h"
#include "outputs/encoder.h"
#include "outputs/output.h"

namespace agent {

// What was given to an output, and what became of it. The rest is on its way.
struct ReplayTally {
  uint64_t given = 0;
  uint64_t delivered = 0;
  uint64_t refused = 0;  // And in the dead letter again.
};

// Loop thread.
class ReplayOutputs {
 public:
  // The outputs of `config`, without disk buffers and as if all were required. What is passed by
  // reference outlives this.
  ReplayOutputs(const Config& config, const GenerationDependencies& dependencies,
                DeadLetter& dead_letter);
  ReplayOutputs(const ReplayOutputs&) = delete;
  ReplayOutputs& operator=(const ReplayOutputs&) = delete;
  ~ReplayOutputs();

  [[nodiscard]] std::optional<std::size_t> Find(const std::string& name) const;
  [[nodiscard]] std::size_t size() const { return lanes_.size(); }
  [[nodiscard]] const std::string& name(std::size_t output) const;
  // Why a record cannot go to that output; empty: it can.
  [[nodiscard]] std::string WhyNot(std::size_t output, const DeadLetterRecord& record) const;
  void Add(std::size_t output, const DeadLetterRecord& record);
  // Hands over open batches, all of them or those that are due.
  void Flush(bool all);
  [[nodiscard]] ReplayTally Tally(std::size_t output) const;
  // All that was given has been settled.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] std::string last_error(std::size_t output) const;

 private:
  struct Lane {
    std::unique_ptr<Output> output;
    std::unique_ptr<Encoder> encoder;
    std::unique_ptr<DocumentReplay> documents;  // Null: it sends none.
    uint64_t given = 0;
    SourceProgress* source = nullptr;  // Of the last entry.
  };

  const std::shared_ptr<SourceProgress>& SourceOf(const DeadLetterRecord& record);

  const GenerationDependencies& dependencies_;
  LabelSets sets_;
  std::vector<Lane> lanes_;
  // By job and name: what is refused again says where it was from.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<SourceProgress>> sources_;
};

}  // namespace agent
