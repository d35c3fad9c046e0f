#include "outputs/json_lines/line_encoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace agent::json_lines {
namespace {

// The message gets all the room there is but for a 256th.
constexpr int kTriesToCut = 9;
constexpr std::size_t kPadding = 64;  // That may be read behind a line: see Entry::line.

// The first bytes of a text, with no rune cut in two.
std::string_view Prefix(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return text;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  for (int back = 0; back < 3 && bytes > 0 && continues(bytes); ++back)
    --bytes;
  return text.substr(0, bytes);
}

}  // namespace

LineEncoder::LineEncoder(const JsonLinesOptions& options, const Dependencies& dependencies,
                         std::shared_ptr<OutputCounters> counters, BatchSink sink)
    : max_line_bytes_(options.max_line_bytes),
      counters_(std::move(counters)),
      sink_(std::move(sink)),
      writer_(options.document, dependencies.sets),
      source_(dependencies.output),
      batch_({options.batch_bytes, options.batch_entries, options.batch_wait},
             {dependencies.output, dependencies.budget, counters_, sink_}, nullptr) {}

void LineEncoder::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void LineEncoder::Add(const Entry& entry, int64_t now_ns) {
  if (source_.SettledBefore(entry)) return source_.SettleNow(entry, /*delivered=*/true);
  const SourceProgress* const source = source_.FirstLineOf(entry);
  GrowingBuffer& to = batch_.Begin();
  const std::size_t begin = to.size();
  writer_.Append(to, entry, source);
  bool unsendable = false;
  if (to.size() - begin > max_line_bytes_) {
    const std::string whole(to.data() + begin, to.size() - begin);
    to.ShrinkTo(begin);
    if (AppendCut(to, entry, source)) {
      counters_->repaired_entries.fetch_add(1, std::memory_order_relaxed);
    } else {
      unsendable = true;
      to.ShrinkTo(begin);
      to.Append(whole);
    }
  }
  to.Append("\n");
  batch_.End(source_, entry, now_ns);
  if (unsendable) batch_.LastIsUnsendable();
}

// With as much of the message as fits, or a little less. False when it would not fit with none.
bool LineEncoder::AppendCut(GrowingBuffer& to, const Entry& entry, const SourceProgress* source) {
  const std::size_t begin = to.size();
  const auto append = [&](std::string_view message) {
    to.ShrinkTo(begin);
    cut_.assign(message).append(kPadding, '\0');
    Entry shorter = entry;
    shorter.line = std::string_view(cut_).substr(0, message.size());
    writer_.Append(to, shorter, source);
    return to.size() - begin;
  };
  const std::size_t empty = append({});
  if (empty > max_line_bytes_) return false;
  // JSON is never shorter than the text that it is made of, and may be six times as long.
  std::size_t too_long = Prefix(entry.line, max_line_bytes_ - empty).size() + 1;
  std::size_t fits = 0;
  std::size_t length = too_long - 1;
  for (int tries = 0; tries < kTriesToCut && fits < length; ++tries) {
    const std::string_view message = Prefix(entry.line, length);
    if (append(message) <= max_line_bytes_) {
      fits = length;
    } else {
      too_long = length;
    }
    length = fits + (too_long - fits) / 2;
  }
  append(Prefix(entry.line, fits));
  return true;
}

}  // namespace agent::json_lines
