#include "agent/receivers/push/push_body.h"

#include <snappy.h>

#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

namespace agent {
namespace {

// What zlib calls the forms of its streams.
constexpr int kZlibForm = 15;
constexpr int kGzipForm = kZlibForm + 16;
constexpr int kRawForm = -kZlibForm;

Error TooLarge(std::size_t max_bytes) {
  return {ErrorCode::kNoSpace,
          "the body is too large: at most " + std::to_string(max_bytes) + " bytes, unpacked"};
}

Error Damaged(std::string_view encoding) {
  return {ErrorCode::kInvalid, "the body is damaged: it is no " + std::string(encoding)};
}

class Inflater {
 public:
  explicit Inflater(int form) { ready_ = inflateInit2(&stream_, form) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  // All of it, one member behind the other.
  Result<std::string> Inflate(std::string_view body, std::string_view encoding,
                              std::size_t max_bytes) {
    std::string out;
    std::array<char, 16384> piece{};
    // zlib does not write to its input; its interface is older than const.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<unsigned>(body.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = piece.size();
      const int outcome = ready_ ? inflate(&stream_, Z_NO_FLUSH) : Z_MEM_ERROR;
      const std::size_t got = piece.size() - stream_.avail_out;
      if (got > max_bytes - out.size()) return TooLarge(max_bytes);
      out.append(piece.data(), got);
      if (outcome == Z_STREAM_END) {
        if (stream_.avail_in == 0) return out;
        if (inflateReset(&stream_) != Z_OK) return Damaged(encoding);
      } else if (outcome != Z_OK) {
        return Damaged(encoding);  // Also when it ends too early.
      }
    }
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

// "deflate" means zlib's form by the book, and the bare one to many.
bool HasZlibHead(std::string_view body) {
  if (body.size() < 2) return false;
  const auto first = static_cast<unsigned char>(body[0]);
  const auto second = static_cast<unsigned char>(body[1]);
  return (first & 0x0FU) == Z_DEFLATED && (first * 256U + second) % 31 == 0;
}

Result<std::string> UnpackSnappy(std::string_view body, std::size_t max_bytes) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return Damaged("snappy block");
  }
  if (size > max_bytes) return TooLarge(max_bytes);
  // Before its memory is asked for: a few bytes can promise a lot.
  if (!snappy::IsValidCompressedBuffer(body.data(), body.size())) return Damaged("snappy block");
  std::string out(size, '\0');
  if (!snappy::RawUncompress(body.data(), body.size(), out.data())) return Damaged("snappy block");
  return out;
}

// "Application/JSON; charset=utf-8" becomes "application/json".
std::string MediaType(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
    type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return type;
}

}  // namespace

Result<std::string> UnpackBody(std::string_view body, std::string_view encoding,
                               std::size_t max_bytes) {
  if (encoding.empty()) {
    if (body.size() > max_bytes) return TooLarge(max_bytes);
    return std::string(body);
  }
  if (encoding == "gzip") return Inflater(kGzipForm).Inflate(body, encoding, max_bytes);
  if (encoding == "deflate") {
    if (HasZlibHead(body)) {
      auto unpacked = Inflater(kZlibForm).Inflate(body, encoding, max_bytes);
      if (unpacked.ok() || unpacked.error().code == ErrorCode::kNoSpace) return unpacked;
    }
    return Inflater(kRawForm).Inflate(body, encoding, max_bytes);
  }
  return Error{ErrorCode::kInvalid, "Content-Encoding \"" + std::string(encoding.substr(0, 64)) +
                                        "\" not supported: gzip or deflate, or snappy with "
                                        "protobuf"};
}

Status ParsePushBody(ServerRequest request, std::size_t max_bytes, PushedStreams& streams) {
  const std::string type = MediaType(request.content_type);
  if (type.empty()) {
    return Error{ErrorCode::kInvalid,
                 "no Content-Type: application/json, or application/x-protobuf"};
  }
  const bool is_json = type == "application/json";
  // Protobuf is always in snappy, said or not.
  const bool packed =
      !request.content_encoding.empty() && (is_json || request.content_encoding != "snappy");
  std::string body = std::move(request.body);
  if (packed) {
    auto unpacked = UnpackBody(body, request.content_encoding, max_bytes);
    if (!unpacked.ok()) return std::move(unpacked).error();
    body = std::move(*unpacked);
  }
  if (is_json) return ParsePushJson(std::move(body), streams);
  auto message = UnpackSnappy(body, max_bytes);
  if (!message.ok()) return std::move(message).error();
  return ParsePushProtobuf(*message, streams);
}

Status ParseRawBody(const ServerRequest& request, std::size_t max_bytes, PushedStreams& streams) {
  if (request.content_encoding.empty()) return ParsePushText(request.body, streams);
  auto body = UnpackBody(request.body, request.content_encoding, max_bytes);
  if (!body.ok()) return std::move(body).error();
  return ParsePushText(*body, streams);
}

Status ParsePushText(std::string_view text, PushedStreams& streams) {
  PushedStream& stream = streams.AddStream();
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    while (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.empty()) continue;
    ReceivedEntry entry;
    entry.line = line;
    if (!streams.AddEntry(stream, std::move(entry))) return TooManyEntries();
  }
  return {};
}

}  // namespace agent
