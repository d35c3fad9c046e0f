// A batch of lines on its way: which bytes of it are to be sent, and what became of its entries.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "outputs/batch.h"
#include "outputs/dead_letter.h"
#include "outputs/output_counters.h"

namespace agent::json_lines {

// What the batches of an output have in common; outlives them. Loop thread.
struct LineContext {
  const std::string& output;
  OutputCounters& counters;
  DeadLetter& dead_letter;
};

// Loop thread. Ended by Finish() or Abandon().
class LineBatch {
 public:
  // `batch`: made by a LineEncoder. What of it no receiver would take is refused at once.
  LineBatch(Batch batch, LineContext& context);

  // What is to be sent: whole lines, each with its newline.
  [[nodiscard]] std::string_view rest() const {
    return {bytes_.data.get() + from_, size() - from_};
  }
  // In all, with what is behind it.
  [[nodiscard]] std::size_t size() const { return bytes_.size; }
  [[nodiscard]] std::size_t memory_bytes() const { return batch_.memory.bytes(); }
  [[nodiscard]] const Batch& batch() const { return batch_; }

  // The first `bytes` of rest() have arrived: they are not sent again. A line that has arrived in
  // part is sent again as a whole.
  void Skip(std::size_t bytes);
  // The first line of rest() is lost for good.
  void RefuseLine(std::string_view reason, std::string_view message);

  // All that was not refused has been delivered.
  void Finish();
  void Abandon() { batch_.Abandon(); }

 private:
  struct Refusal {
    uint32_t entry = 0;
    std::string document;
    std::string message;
  };

  void RemoveUnsendable();
  [[nodiscard]] uint32_t EntryOfNextLine() const;
  void WriteDeadLetter();

  LineContext* context_;
  Batch batch_;
  Bytes bytes_;                    // The body, without what is refused.
  std::size_t from_ = 0;           // A line begins here.
  std::vector<Refusal> refusals_;  // In the order of entries.
};

}  // namespace agent::json_lines
