#include "outputs/loki/loki_encoder.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <numeric>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "outputs/loki/stream_name.h"
#include "outputs/loki/wire.h"

namespace agent {
namespace {

using loki::EncoderStream;
using loki::OpenBatch;

// What an entry takes beside line and metadata: keys, lengths, the timestamp.
constexpr std::size_t kEntryOverhead = 48;
// A stream's head beside its labels.
constexpr std::size_t kStreamOverhead = 16;
// Past this many batches a tenant that is idle is forgotten.
constexpr std::size_t kMaxIdleBatches = 64;
// A larger buffer is not kept for the next batch.
constexpr std::size_t kMaxSpareBytes = std::size_t{4} << 20;

std::size_t PairSize(const Metadata& pair) {
  return loki::TextFieldSize(pair.name) + loki::TextFieldSize(pair.value);
}

// What Promtail counts for them.
std::size_t MetadataSize(std::span<const Metadata> metadata) {
  std::size_t size = 0;
  for (const Metadata& pair : metadata)
    size += PairSize(pair);
  return size;
}

// On the wire.
std::size_t MetadataWireSize(std::span<const Metadata> metadata) {
  std::size_t size = 0;
  for (const Metadata& pair : metadata)
    size += 1 + loki::VarintSize(PairSize(pair)) + PairSize(pair);
  return size;
}

bool HasLetterOrDigit(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

char* PutMetadata(char* to, std::span<const Metadata> metadata) {
  for (const Metadata& pair : metadata) {
    *to++ = loki::kKeyField3;
    to = loki::PutVarint(to, PairSize(pair));
    to = loki::PutTextField(to, loki::kKeyField1, pair.name);
    to = loki::PutTextField(to, loki::kKeyField2, pair.value);
  }
  return to;
}

int64_t SecondOf(int64_t timestamp_ns) {
  int64_t second = timestamp_ns / kNanosPerSecond;
  if (timestamp_ns % kNanosPerSecond < 0) --second;
  return second;
}

}  // namespace

LokiEncoder::LokiEncoder(const LokiOptions& options, std::size_t output, LabelSets& sets,
                         MemoryBudget& budget, std::shared_ptr<LokiCounters> counters,
                         BatchSink sink)
    : external_labels_(options.external_labels),
      tenant_id_(options.tenant_id),
      limits_{options.batchsize_bytes, options.max_line_size_bytes, options.max_line_size_truncate,
              options.max_streams, std::chrono::nanoseconds(options.batchwait).count()},
      output_(output),
      sets_(sets),
      budget_(budget),
      counters_(std::move(counters)),
      sink_(std::move(sink)),
      source_(output),
      epoch_(sets.epoch()) {}

void LokiEncoder::BeginSource(std::shared_ptr<SourceProgress> progress) {
  source_.Begin(std::move(progress));
}

void LokiEncoder::Add(const Entry& entry, int64_t now_ns) {
  if (source_.SettledBefore(entry)) return source_.SettleNow(entry, /*delivered=*/true);
  EncoderStream& stream = StreamOf(entry.labels);
  if (stream.batch == nullptr) {
    Drop(stream, entry, LossReason::kNoLabels);
    return;
  }
  Entry sent = entry;
  if (limits_.max_line_bytes > 0 && entry.line.size() > limits_.max_line_bytes) {
    if (!limits_.truncate) {
      Drop(stream, entry, LossReason::kLineTooLong);
      return;
    }
    stream.counters->Mutate(LossReason::kLineTooLong, 1,
                            entry.line.size() - limits_.max_line_bytes);
    sent.line = entry.line.substr(0, limits_.max_line_bytes);
  }
  if (!entry.metadata.empty()) sent.metadata = Sendable(entry.metadata, *stream.counters);
  if (stream.repaired) stream.counters->Mutate(LossReason::kLabelName, 1, 0);

  const std::size_t counted =
      sent.line.size() + (sent.metadata.empty() ? 0 : MetadataSize(sent.metadata));
  if (stream.batch->open && !HasRoom(stream, sent, counted)) Close(*stream.batch);
  if (!EnterStream(stream, now_ns)) {
    Drop(stream, entry, LossReason::kStreamLimited);
    return;
  }
  stream.batch->line_bytes += counted;
  Append(stream, sent);
}

EncoderStream& LokiEncoder::StreamOf(LabelSetId labels) {
  if (epoch_ != sets_.epoch()) ForgetStreams();
  if (last_stream_ != nullptr && labels == last_labels_) return *last_stream_;
  if (labels >= by_labels_.size()) by_labels_.resize(labels + 1);
  if (by_labels_[labels] == nullptr) by_labels_[labels] = &MakeStream(labels);
  last_labels_ = labels;
  last_stream_ = by_labels_[labels];
  return *last_stream_;
}

EncoderStream& LokiEncoder::MakeStream(LabelSetId labels) {
  StreamName name = NameStream(sets_.Get(labels), external_labels_, tenant_id_);
  const auto [at, inserted] = streams_.try_emplace({name.tenant, name.text});
  EncoderStream& stream = at->second;
  if (inserted) {
    stream.text = std::move(name.text);
    stream.repaired = name.repaired;
    stream.counters = &counters_->ForTenant(name.tenant);
    if (!name.refused) stream.batch = &BatchOf(name.tenant);
  }
  return stream;
}

OpenBatch& LokiEncoder::BatchOf(const std::string& tenant) {
  OpenBatch& batch = batches_[tenant];
  if (batch.counters == nullptr) {
    batch.tenant = tenant;
    batch.counters = &counters_->ForTenant(tenant);
  }
  return batch;
}

// The worker has swept its label sets: their numbers mean something else from now on.
void LokiEncoder::ForgetStreams() {
  Flush(std::numeric_limits<int64_t>::max());
  by_labels_.clear();
  streams_.clear();
  last_stream_ = nullptr;
  if (batches_.size() > kMaxIdleBatches) batches_.clear();
  epoch_ = sets_.epoch();
}

bool LokiEncoder::HasRoom(const EncoderStream& stream, const Entry& entry,
                          std::size_t counted) const {
  const OpenBatch& batch = *stream.batch;
  if (batch.line_bytes + counted > limits_.batchsize_bytes) return false;
  std::size_t raw = batch.raw_bytes() + entry.line.size() + kEntryOverhead;
  if (!entry.metadata.empty()) raw += MetadataWireSize(entry.metadata);
  if (stream.slot == EncoderStream::kNotInBatch) raw += stream.text.size() + kStreamOverhead;
  return raw <= kMaxRawBytes;
}

bool LokiEncoder::EnterStream(EncoderStream& stream, int64_t now_ns) {
  OpenBatch& batch = *stream.batch;
  if (!batch.open) {
    batch.open = true;
    batch.created_ns = now_ns;
    if (batch.entries.capacity() < spare_.capacity()) std::swap(batch.entries, spare_);
  }
  if (stream.slot != EncoderStream::kNotInBatch) return true;
  if (limits_.max_streams > 0 && batch.streams.size() >= limits_.max_streams) return false;
  stream.slot = static_cast<uint32_t>(batch.streams.size());
  batch.streams.push_back({.stream = &stream, .bytes = 0, .first = 0, .last = 0});
  batch.head_bytes += stream.text.size() + kStreamOverhead;
  return true;
}

// Most entries are of the same second as the one before.
void LokiEncoder::RememberSecond(int64_t second) {
  const auto bits = static_cast<uint64_t>(second);
  second_start_ns_ = bits * kNanosPerSecond;
  second_known_ = true;
  second_size_ = 0;
  if (second == 0) return;  // Zero is left out.
  second_bytes_[0] = loki::kKeySeconds;
  const char* const end = loki::PutVarint(second_bytes_ + 1, bits);
  second_size_ = static_cast<std::size_t>(end - second_bytes_);
}

void LokiEncoder::Append(EncoderStream& stream, const Entry& entry) {
  uint64_t nanos = static_cast<uint64_t>(entry.timestamp_ns) - second_start_ns_;
  if (nanos >= kNanosPerSecond || !second_known_) {
    RememberSecond(SecondOf(entry.timestamp_ns));
    nanos = static_cast<uint64_t>(entry.timestamp_ns) - second_start_ns_;
  }
  const std::size_t time_size = second_size_ + (nanos == 0 ? 0 : 1 + loki::VarintSize(nanos));
  const std::size_t metadata_size = entry.metadata.empty() ? 0 : MetadataWireSize(entry.metadata);
  const std::size_t entry_size = 2 + time_size + loki::TextFieldSize(entry.line) + metadata_size;

  OpenBatch& batch = *stream.batch;
  batch.entries.Ensure(entry_size + kEntryOverhead);
  char* const begin = batch.entries.end();
  char* to = begin;
  *to++ = loki::kKeyField2;
  to = loki::PutVarint(to, entry_size);
  *to++ = loki::kKeyField1;
  *to++ = static_cast<char>(time_size);
  std::memcpy(to, second_bytes_, sizeof(second_bytes_));  // What is too much is written over.
  to += second_size_;
  if (nanos != 0) {
    *to++ = loki::kKeyNanos;
    to = loki::PutVarint(to, nanos);
  }
  to = loki::PutTextField(to, loki::kKeyField2, entry.line);
  if (metadata_size > 0) to = PutMetadata(to, entry.metadata);

  const auto written = static_cast<std::size_t>(to - begin);
  batch.AddToStretch(stream.slot, written);
  batch.entries.Extend(written);
  batch.origins.Add(source_, entry);
}

void LokiEncoder::Drop(const EncoderStream& stream, const Entry& entry, LossReason reason) {
  stream.counters->Drop(reason, 1, entry.line.size());
  source_.SettleNow(entry, /*delivered=*/false);
}

// Without the pairs that make Loki fail the whole request for ever.
std::span<const Metadata> LokiEncoder::Sendable(std::span<const Metadata> metadata,
                                                TenantCounters& counters) {
  const auto sendable = [](const Metadata& pair) { return HasLetterOrDigit(pair.name); };
  if (std::all_of(metadata.begin(), metadata.end(), sendable)) return metadata;
  sendable_.clear();
  std::size_t lost = 0;
  for (const Metadata& pair : metadata) {
    if (sendable(pair)) {
      sendable_.push_back(pair);
    } else {
      lost += pair.name.size() + pair.value.size();
    }
  }
  counters.Mutate(LossReason::kMetadataName, 1, lost);
  return sendable_;
}

std::optional<int64_t> LokiEncoder::NextDeadline() const {
  std::optional<int64_t> next;
  for (const auto& [tenant, batch] : batches_) {
    if (!batch.open) continue;
    const int64_t due = batch.created_ns + limits_.batchwait_ns;
    if (!next.has_value() || due < *next) next = due;
  }
  return next;
}

void LokiEncoder::Flush(int64_t now_ns) {
  for (auto& [tenant, batch] : batches_) {
    if (batch.open && now_ns - limits_.batchwait_ns >= batch.created_ns) Close(batch);
  }
}

void LokiEncoder::Abandon() {
  for (auto& [tenant, batch] : batches_) {
    batch.origins.Abandon();
    batch.Clear();
  }
}

std::size_t LokiEncoder::open_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [tenant, batch] : batches_)
    bytes += batch.memory_bytes();
  return bytes;
}

void LokiEncoder::Close(OpenBatch& open) {
  // The largest stream last: Loki's answer may speak of the last one only, and the largest is the
  // one most likely to be limited.
  std::vector<uint32_t> order(open.streams.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto largest = std::max_element(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return open.streams[a].bytes < open.streams[b].bytes;
  });
  if (largest != order.end()) std::swap(*largest, order.back());

  Batch batch;
  batch.output = output_;
  batch.tenant = open.tenant;
  batch.line_bytes = open.line_bytes;
  batch.created_ns = open.created_ns;
  Compress(open, order, batch);
  MoveOrigins(open, order, batch);
  batch.memory = budget_.Reserve(batch.body.size + batch.origins.size() * sizeof(EntryOrigin) +
                                 batch.pins.size() * sizeof(SourcePin));
  counters_->AddEncodedBytes(batch.body.size);
  open.Clear();
  if (open.entries.capacity() > spare_.capacity() && open.entries.capacity() <= kMaxSpareBytes) {
    std::swap(open.entries, spare_);
  }
  // One tenant keeps its memory; what many would keep adds up.
  if (batches_.size() > 1) open.ReleaseMemory();
  sink_(std::move(batch));
}

// Pins and holds, and the origins in the order in which the entries stand in the request.
void LokiEncoder::MoveOrigins(OpenBatch& open, const std::vector<uint32_t>& order, Batch& batch) {
  open.origins.MoveInto(batch);
  if (order.size() == 1) return;
  const std::vector<EntryOrigin> origins = std::move(batch.origins);
  std::vector<uint32_t> place(origins.size());
  batch.origins.clear();
  batch.origins.reserve(origins.size());
  for (const uint32_t slot : order) {
    uint32_t at = open.streams[slot].first;
    do {
      const OpenBatch::Stretch& stretch = open.stretches[at];
      for (uint32_t i = 0; i < stretch.entries; ++i) {
        place[stretch.first_entry + i] = static_cast<uint32_t>(batch.origins.size());
        batch.origins.push_back(origins[stretch.first_entry + i]);
      }
      at = stretch.next;
    } while (at != 0);
  }
  for (BatchHold& hold : batch.holds)
    hold.entry = place[hold.entry];
}

void LokiEncoder::Compress(const OpenBatch& open, const std::vector<uint32_t>& order,
                           Batch& batch) {
  std::size_t heads_size = 0;
  for (const OpenBatch::Stream& stream : open.streams) {
    heads_size += loki::StreamHeadSize(stream.stream->text, stream.bytes);
  }
  CHECK(heads_size > 0);  // A batch that is closed has a stream.
  const auto heads = std::make_unique_for_overwrite<char[]>(heads_size);
  std::vector<std::string_view> parts;
  parts.reserve(open.streams.size() + open.stretches.size());
  char* head = heads.get();
  for (const uint32_t slot : order) {
    const OpenBatch::Stream& stream = open.streams[slot];
    char* const head_end = loki::PutStreamHead(head, stream.stream->text, stream.bytes);
    parts.emplace_back(head, static_cast<std::size_t>(head_end - head));
    head = head_end;
    uint32_t at = stream.first;
    do {
      const OpenBatch::Stretch& stretch = open.stretches[at];
      parts.emplace_back(open.entries.data() + stretch.begin, stretch.end - stretch.begin);
      at = stretch.next;
    } while (at != 0);
  }
  CHECK(head == heads.get() + heads_size);
  batch.raw_size = heads_size + open.entries.size();
  // Compressed where it has room for the worst, then copied: a body of the right size. The room
  // stays, or the bodies would lie in the holes that it leaves, and it in new memory each time.
  packed_.Ensure(SnappyEncoder::MaxCompressedSize(batch.raw_size));
  batch.body.size = snappy_.Compress(parts, packed_.end());
  batch.body.data = std::make_unique_for_overwrite<char[]>(batch.body.size);
  std::memcpy(batch.body.data.get(), packed_.data(), batch.body.size);
  if (packed_.capacity() > kMaxSpareBytes) packed_ = {};
}

}  // namespace agent
