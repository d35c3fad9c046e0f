// How a worker makes entries of the lines of a chunk.

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "agent/runtime/worker.h"

namespace agent {

Worker::SplitResult Worker::SplitLines(Reading& reading, const Chunk& chunk, Block& block) const {
  if (TextEncoding* const encoding = reading.source->encoding()) {
    return SplitEncoded(reading, chunk, *encoding, block);
  }
  SplitResult result;
  const bool trims = reading.source->trims_lines();
  // The lines of a block are read at the same moment. A nanosecond between them keeps their order,
  // and keeps two equal lines from being taken for one.
  int64_t timestamp = std::max(dependencies_.clock.WallNanos(), reading.last_timestamp_ns + 1);
  const char* at = chunk.data.data();
  const char* const end = at + chunk.data.size();
  while (at < end) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    const char* const line_end = newline != nullptr ? newline : end;
    const char* const next = newline != nullptr ? newline + 1 : end;
    std::string_view line(at, static_cast<std::size_t>(line_end - at));
    const auto source_bytes = static_cast<uint32_t>(next - at);
    if (trims) {
      while (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    }
    ++result.lines;
    if (trims && line.empty()) {
      result.skipped_bytes += source_bytes;
    } else {
      const auto offset = chunk.offset + static_cast<uint64_t>(at - chunk.data.data());
      block.Add(line, timestamp++, offset, source_bytes);
    }
    at = next;
  }
  reading.last_timestamp_ns = timestamp - 1;
  return result;
}

Worker::SplitResult Worker::SplitEncoded(Reading& reading, const Chunk& chunk,
                                         TextEncoding& encoding, Block& block) const {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  SplitResult result;
  int64_t timestamp = std::max(dependencies_.clock.WallNanos(), reading.last_timestamp_ns + 1);
  std::string text;
  for (std::size_t at = 0; at < chunk.data.size();) {
    const std::string_view rest = chunk.data.substr(at);
    const std::size_t end = encoding.EndOfFirstLine(rest.data(), rest.size());
    encoding.Decode(end > 0 ? rest.substr(0, end - encoding.unit()) : rest, text);
    std::string_view line = text;
    const uint64_t offset = chunk.offset + at;
    if (offset == 0 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    const std::size_t bytes = end > 0 ? end : rest.size();
    block.Add(block.arena().Copy(line), timestamp++, offset, static_cast<uint32_t>(bytes));
    ++result.lines;
    at += bytes;
  }
  reading.last_timestamp_ns = timestamp - 1;
  return result;
}

Worker::SplitResult Worker::AddLines(Reading& reading, const Chunk& chunk, Block& block) {
  int64_t now = std::max(dependencies_.clock.WallNanos(), reading.last_timestamp_ns + 1);
  for (const ChunkLine& line : chunk.lines) {
    const auto at = static_cast<uint64_t>(line.text.data() - chunk.data.data());
    const int64_t timestamp = line.timestamp_ns ? *line.timestamp_ns : now++;
    block.Add(line.text, timestamp, chunk.offset + at, static_cast<uint32_t>(line.text.size() + 1));
  }
  reading.last_timestamp_ns = now - 1;
  const Labels* labels = nullptr;
  LabelSetId id = reading.labels;
  for (EntryIndex entry = 0; entry < chunk.lines.size(); ++entry) {
    const ChunkLine& line = chunk.lines[entry];
    for (const Metadata& pair : line.metadata) {
      block.AddMetadata(entry, block.arena().Copy(pair.name), block.arena().Copy(pair.value));
    }
    if (line.labels == nullptr) continue;
    // Lines of one stream come together, as a rule.
    if (line.labels != labels) {
      labels = line.labels;
      id = label_sets_.Intern(*labels);
    }
    block.StartWith(entry, id);
  }
  return {chunk.lines.size(), 0};
}

}  // namespace agent
