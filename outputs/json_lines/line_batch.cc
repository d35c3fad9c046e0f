#include "outputs/json_lines/line_batch.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace agent::json_lines {

LineBatch::LineBatch(Batch batch, LineContext& context)
    : context_(&context), batch_(std::move(batch)), bytes_(batch_.body) {
  if (!batch_.unsendable.empty()) RemoveUnsendable();
}

void LineBatch::RemoveUnsendable() {
  const std::string_view body(batch_.body.data.get(), batch_.body.size);
  bytes_ = {std::make_unique_for_overwrite<char[]>(body.size()), 0};
  auto unsendable = batch_.unsendable.begin();
  uint32_t entry = 0;
  for (std::size_t at = 0; at < body.size(); ++entry) {
    const std::size_t end = std::min(body.find('\n', at), body.size() - 1) + 1;
    const std::string_view line = body.substr(at, end - at);
    if (unsendable != batch_.unsendable.end() && *unsendable == entry) {
      refusals_.push_back({entry, std::string(line.substr(0, line.size() - 1)),
                           "too large for this output, whatever is cut from its message"});
      context_->counters.Refuse("too_large", 1);
      ++unsendable;
    } else {
      std::memcpy(bytes_.data.get() + bytes_.size, line.data(), line.size());
      bytes_.size += line.size();
    }
    at = end;
  }
}

void LineBatch::Skip(std::size_t bytes) {
  const std::size_t newline = bytes == 0 ? std::string_view::npos : rest().rfind('\n', bytes - 1);
  if (newline != std::string_view::npos) from_ += newline + 1;
}

// Those before it, and those that were refused, which stand in it no more.
uint32_t LineBatch::EntryOfNextLine() const {
  auto entry =
      static_cast<uint32_t>(std::count(bytes_.data.get(), bytes_.data.get() + from_, '\n'));
  for (const Refusal& refusal : refusals_) {
    const bool was_unsendable =
        std::binary_search(batch_.unsendable.begin(), batch_.unsendable.end(), refusal.entry);
    if (was_unsendable && refusal.entry <= entry) ++entry;
  }
  return entry;
}

void LineBatch::RefuseLine(std::string_view reason, std::string_view message) {
  const std::string_view left = rest();
  const std::size_t end = left.find('\n');
  const uint32_t entry = EntryOfNextLine();
  const auto after = std::upper_bound(
      refusals_.begin(), refusals_.end(), entry,
      [](uint32_t number, const Refusal& refusal) { return number < refusal.entry; });
  refusals_.insert(after, {entry, std::string(left.substr(0, end)), std::string(message)});
  context_->counters.Refuse(reason, 1);
  from_ += end + 1;
}

void LineBatch::Finish() {
  std::vector<bool> refused;
  if (!refusals_.empty()) {
    WriteDeadLetter();
    refused.resize(batch_.entries());
    for (const Refusal& refusal : refusals_)
      refused[refusal.entry] = true;
  }
  const std::size_t delivered = batch_.entries() - refusals_.size();
  context_->counters.sent_entries.fetch_add(delivered, std::memory_order_relaxed);
  context_->counters.sent_bytes.fetch_add(bytes_.size, std::memory_order_relaxed);
  bytes_ = Bytes();
  batch_.Settle(refused);
}

void LineBatch::WriteDeadLetter() {
  std::vector<DeadLetterEntry> entries;
  for (const Refusal& refusal : refusals_) {
    DeadLetterEntry& entry = entries.emplace_back();
    entry.reason = refusal.message;
    entry.output = context_->output;
    entry.document = refusal.document;
    const EntryOrigin& origin = batch_.origins[refusal.entry];
    if (origin.pin != EntryOrigin::kNoPin) {
      const SourceProgress& source = *batch_.pins[origin.pin].progress;
      entry.job = source.job();
      entry.source = source.identity().name;
    }
    entry.offset = origin.offset;
  }
  if (context_->dead_letter.Append(entries)) {
    context_->counters.dead_lettered.fetch_add(entries.size(), std::memory_order_relaxed);
  }
}

}  // namespace agent::json_lines
