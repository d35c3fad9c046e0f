#include "outputs/loki/push_request.h"

#include <snappy.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/clock.h"
#include "outputs/loki/wire.h"

namespace agent::loki {
namespace {

// Reads protobuf fields one after the other.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : left_(bytes) {}

  struct Field {
    char key = 0;
    uint64_t number = 0;     // Of wire type 0.
    std::string_view bytes;  // Of wire type 2.
    std::string_view whole;  // With key and length.
  };

  // Nothing at the end, and for what is not well formed: see ok().
  std::optional<Field> Next() {
    if (left_.empty()) return std::nullopt;
    const std::string_view start = left_;
    Field field;
    field.key = left_.front();
    left_.remove_prefix(1);
    const std::optional<uint64_t> number = Varint();
    const int wire_type = field.key & 7;
    ok_ = number.has_value() && (wire_type == 0 || (wire_type == 2 && *number <= left_.size()));
    if (!ok_) return std::nullopt;
    if (wire_type == 0) {
      field.number = *number;
    } else {
      field.bytes = left_.substr(0, *number);
      left_.remove_prefix(*number);
    }
    field.whole = start.substr(0, start.size() - left_.size());
    return field;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::string_view left_;
  bool ok_ = true;
};

std::size_t SliceBytes(const PushRequest& request, const RequestPart::Slice& slice) {
  if (slice.begin == slice.end) return 0;
  const std::string_view first = request.entries[slice.begin];
  const std::string_view last = request.entries[slice.end - 1];
  return static_cast<std::size_t>(last.data() + last.size() - first.data());
}

}  // namespace

Status PushRequest::Parse(std::string_view body) {
  const Error broken{ErrorCode::kInvalid, "not a push request"};
  if (!snappy::Uncompress(body.data(), body.size(), &raw)) return broken;
  FieldReader request(raw);
  while (const auto field = request.Next()) {
    if (field->key != kKeyField1) return broken;
    Stream stream;
    stream.begin = static_cast<uint32_t>(entries.size());
    FieldReader inside(field->bytes);
    while (const auto part = inside.Next()) {
      if (part->key == kKeyField1) stream.labels = part->bytes;
      if (part->key == kKeyField2) entries.push_back(part->whole);
    }
    if (!inside.ok()) return broken;
    stream.end = static_cast<uint32_t>(entries.size());
    streams.push_back(stream);
  }
  if (!request.ok()) return broken;
  return {};
}

DecodedEntry PushRequest::Decode(uint32_t entry) const {
  DecodedEntry decoded;
  FieldReader outer(entries[entry]);
  FieldReader fields(outer.Next()->bytes);
  while (const auto field = fields.Next()) {
    if (field->key == kKeyField1) {
      FieldReader time(field->bytes);
      while (const auto part = time.Next()) {
        const uint64_t scale = part->key == kKeySeconds ? kNanosPerSecond : 1;
        decoded.timestamp_ns = static_cast<int64_t>(static_cast<uint64_t>(decoded.timestamp_ns) +
                                                    part->number * scale);
      }
    } else if (field->key == kKeyField2) {
      decoded.line = field->bytes;
    } else if (field->key == kKeyField3) {
      auto& pair = decoded.metadata.emplace_back();
      FieldReader texts(field->bytes);
      while (const auto text = texts.Next())
        (text->key == kKeyField1 ? pair.first : pair.second) = text->bytes;
    }
  }
  return decoded;
}

const PushRequest::Stream& PushRequest::StreamOf(uint32_t entry) const {
  const auto after =
      std::upper_bound(streams.begin(), streams.end(), entry,
                       [](uint32_t wanted, const Stream& stream) { return wanted < stream.end; });
  CHECK(after != streams.end());
  return *after;
}

std::size_t RequestPart::entries() const {
  std::size_t count = 0;
  for (const Slice& slice : slices)
    count += slice.end - slice.begin;
  return count;
}

RequestPart WholeRequest(const PushRequest& request) {
  RequestPart part;
  for (uint32_t i = 0; i < request.streams.size(); ++i)
    part.slices.push_back({i, request.streams[i].begin, request.streams[i].end});
  return part;
}

std::deque<RequestPart> SplitByStream(const RequestPart& part, std::size_t max_parts) {
  const std::size_t count = std::max<std::size_t>(1, std::min(max_parts, part.slices.size()));
  std::deque<RequestPart> parts(count);
  for (std::size_t i = 0; i < part.slices.size(); ++i)
    parts[i * count / part.slices.size()].slices.push_back(part.slices[i]);
  return parts;
}

std::deque<RequestPart> Halve(const PushRequest& request, const RequestPart& part) {
  CHECK(part.entries() >= 2);
  std::deque<RequestPart> halves(2);
  if (part.slices.size() == 1) {
    const RequestPart::Slice& slice = part.slices.front();
    const uint32_t middle = slice.begin + (slice.end - slice.begin) / 2;
    halves[0].slices.push_back({slice.stream, slice.begin, middle});
    halves[1].slices.push_back({slice.stream, middle, slice.end});
    return halves;
  }
  std::size_t total = 0;
  for (const RequestPart::Slice& slice : part.slices)
    total += SliceBytes(request, slice);
  std::size_t first_bytes = 0;
  for (const RequestPart::Slice& slice : part.slices) {
    // Each half gets at least one stream.
    const bool first =
        halves[0].slices.empty() || (halves[1].slices.empty() && first_bytes < total / 2 &&
                                     halves[0].slices.size() + 1 < part.slices.size());
    if (first) first_bytes += SliceBytes(request, slice);
    halves[first ? 0 : 1].slices.push_back(slice);
  }
  return halves;
}

Bytes EncodePart(const PushRequest& request, const RequestPart& part, SnappyEncoder& snappy,
                 std::size_t& raw_size) {
  std::deque<std::string> heads;  // Stays in place while it grows.
  std::vector<std::string_view> pieces;
  raw_size = 0;
  for (const RequestPart::Slice& slice : part.slices) {
    const std::string_view labels = request.streams[slice.stream].labels;
    const std::size_t bytes = SliceBytes(request, slice);
    std::string& head = heads.emplace_back(StreamHeadSize(labels, bytes), '\0');
    PutStreamHead(head.data(), labels, bytes);
    pieces.emplace_back(head);
    if (bytes > 0) pieces.emplace_back(request.entries[slice.begin].data(), bytes);
    raw_size += head.size() + bytes;
  }
  const auto packed =
      std::make_unique_for_overwrite<char[]>(SnappyEncoder::MaxCompressedSize(raw_size));
  Bytes body;
  body.size = snappy.Compress(pieces, packed.get());
  body.data = std::make_unique_for_overwrite<char[]>(body.size);
  std::memcpy(body.data.get(), packed.get(), body.size);
  return body;
}

}  // namespace agent::loki
