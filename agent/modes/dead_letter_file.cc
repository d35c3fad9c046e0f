#include "agent/modes/dead_letter_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>

#include <simdjson.h>
#include <zlib.h>

#include "agent/receivers/push/label_text.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "pipeline/redact/base64.h"

namespace agent {
namespace {

using simdjson::ondemand::object;

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::string_view kBase64Suffix = "_base64";

Error Wrong(const std::string& what) {
  return {ErrorCode::kInvalid, what};
}

// "2024-05-01T10:00:00.123456789Z".
std::optional<int64_t> ParseTime(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return std::nullopt;
  }
  const auto number = [text](std::size_t begin, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + begin, text.data() + begin + size, value);
    return value;
  };
  tm time{};
  time.tm_year = number(0, 4) - 1900;
  time.tm_mon = number(5, 2) - 1;
  time.tm_mday = number(8, 2);
  time.tm_hour = number(11, 2);
  time.tm_min = number(14, 2);
  time.tm_sec = number(17, 2);
  return static_cast<int64_t>(timegm(&time)) * kNanosPerSecond + number(20, 9);
}

// A text as it was: `name_base64` has the bytes of one that is not UTF-8. A name may really end so:
// then what it decodes to would have been written plainly.
void Restore(std::string& name, std::string& value) {
  if (!name.ends_with(kBase64Suffix)) return;
  std::string decoded;
  if (!redact::DecodeBase64(value, decoded) || IsValidUtf8(decoded)) return;
  name.resize(name.size() - kBase64Suffix.size());
  value = std::move(decoded);
}

// What a line has, before it is looked at as a whole.
struct Fields {
  DeadLetterRecord record;
  std::string labels;
  std::string timestamp;
  bool has_line = false;
  bool has_output = false;
};

// False when it is no text.
bool ReadText(simdjson::ondemand::value value, std::string& to) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  to = std::string(text);
  return true;
}

bool ReadMetadata(simdjson::ondemand::value value, DeadLetterRecord& record) {
  object pairs;
  if (value.get_object().get(pairs) != simdjson::SUCCESS) return false;
  for (auto pair : pairs) {
    std::string_view name;
    simdjson::ondemand::value inner;
    auto& [key, text] = record.metadata.emplace_back();
    if (pair.unescaped_key().get(name) != simdjson::SUCCESS) return false;
    key = std::string(name);
    if (pair.value().get(inner) != simdjson::SUCCESS || !ReadText(inner, text)) return false;
    Restore(key, text);
  }
  return true;
}

// False when the value is not what it should be.
bool ReadField(std::string name, simdjson::ondemand::value value, Fields& fields) {
  DeadLetterRecord& record = fields.record;
  if (name == "offset") return value.get_uint64().get(record.offset) == simdjson::SUCCESS;
  if (name == "status") return true;
  if (name == "structured_metadata") return ReadMetadata(value, record);
  if (name == "document") {
    std::string_view json;
    object document;
    if (value.get_object().get(document) != simdjson::SUCCESS ||
        document.raw_json().get(json) != simdjson::SUCCESS) {
      return false;
    }
    record.document = std::string(json);
    return true;
  }
  std::string text;
  if (!ReadText(value, text)) return false;
  Restore(name, text);
  fields.has_line = fields.has_line || name == "line";
  fields.has_output = fields.has_output || name == "output";
  const std::array<std::pair<std::string_view, std::string*>, 10> places = {{
      {"reason", &record.reason},
      {"output", &record.output},
      {"job", &record.job},
      {"source", &record.source},
      {"index", &record.index},
      {"id", &record.id},
      {"tenant", &record.tenant},
      {"labels", &fields.labels},
      {"timestamp", &fields.timestamp},
      {"line", &record.line},
  }};
  for (const auto& [known, place] : places) {
    if (known != name) continue;
    *place = std::move(text);
    break;
  }
  return true;  // Names that are not known are of a later version.
}

}  // namespace

Result<DeadLetterRecord> ParseDeadLetterLine(std::string_view line) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(line);
  simdjson::ondemand::document json;
  object root;
  if (parser.iterate(padded).get(json) != simdjson::SUCCESS ||
      json.get_object().get(root) != simdjson::SUCCESS) {
    return Wrong("not a JSON object");
  }
  Fields fields;
  for (auto pair : root) {
    std::string_view name;
    simdjson::ondemand::value value;
    if (pair.unescaped_key().get(name) != simdjson::SUCCESS) return Wrong("damaged JSON");
    std::string key(name);
    if (pair.value().get(value) != simdjson::SUCCESS || !ReadField(key, value, fields))
      return Wrong("damaged JSON at '" + key + "'");
  }
  const char* behind = nullptr;
  if (json.current_location().get(behind) == simdjson::SUCCESS)
    return Wrong("something stands behind the JSON object");
  DeadLetterRecord& record = fields.record;
  if (!fields.has_output) return Wrong("not of a dead letter: 'output' is missing");
  if (!record.document.empty()) return std::move(record);
  if (!fields.has_line) return Wrong("not of a dead letter: neither 'line' nor 'document'");
  const std::optional<int64_t> time = ParseTime(fields.timestamp);
  if (!time) return Wrong("'" + fields.timestamp + "' is no timestamp");
  record.timestamp_ns = *time;
  Result<Labels> labels = ParseLabelText(fields.labels);
  if (!labels.ok()) return std::move(labels).error().Wrap("labels");
  record.labels = std::move(*labels);
  return std::move(record);
}

// --- The file.

struct DeadLetterFile::Stream {
  explicit Stream(gzFile opened) : file(opened) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { gzclose_r(file); }

  gzFile file;  // Of gzip, or plain.
};

Result<std::unique_ptr<DeadLetterFile>> DeadLetterFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Wrong(path + ": not a regular file");
  }
  gzFile file = gzdopen(fd, "rb");
  if (file == nullptr) {
    ::close(fd);
    return Wrong(path + ": no memory");
  }
  return std::unique_ptr<DeadLetterFile>(new DeadLetterFile(path, std::make_unique<Stream>(file)));
}

DeadLetterFile::DeadLetterFile(std::string path, std::unique_ptr<Stream> stream)
    : path_(std::move(path)), stream_(std::move(stream)) {}

DeadLetterFile::~DeadLetterFile() = default;

bool DeadLetterFile::Fill() {
  if (ended_) return false;
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const int count =
      gzread(stream_->file, buffer_.data() + before, static_cast<unsigned>(kReadBytes));
  buffer_.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count > 0) return true;
  ended_ = true;
  int code = Z_OK;
  const char* const text = gzerror(stream_->file, &code);
  if (code != Z_OK) error_ = code == Z_BUF_ERROR ? "ends too early" : text;
  file_bytes_ = static_cast<uint64_t>(gzoffset(stream_->file));
  return false;
}

std::optional<std::string_view> DeadLetterFile::Next() {
  while (true) {
    std::size_t newline = buffer_.find('\n', at_);
    while (newline == std::string::npos && Fill())
      newline = buffer_.find('\n', at_);
    if (newline == std::string::npos && at_ == buffer_.size()) return std::nullopt;
    const std::size_t end = newline == std::string::npos ? buffer_.size() : newline;
    const std::string_view line{buffer_.data() + at_, end - at_};
    at_ = newline == std::string::npos ? end : end + 1;
    ++line_number_;
    if (!line.empty()) return line;
  }
}

// An agent may be writing to it: that one looks for its file's name after each write, and here the
// size is looked at after the name is gone. One of the two sees the other.
Status DeadLetterFile::Remove() {
  const std::string aside = path_ + ".replayed";
  if (::rename(path_.c_str(), aside.c_str()) != 0) return ErrnoError(errno, "remove " + path_);
  struct stat info {};
  const bool same =
      ::stat(aside.c_str(), &info) == 0 && static_cast<uint64_t>(info.st_size) == file_bytes_;
  if (!same) {
    if (::rename(aside.c_str(), path_.c_str()) != 0) return ErrnoError(errno, "put back " + aside);
    return Error{ErrorCode::kUnavailable, path_ + " has grown meanwhile: it stays"};
  }
  if (::unlink(aside.c_str()) != 0) return ErrnoError(errno, "remove " + aside);
  return {};
}

}  // namespace agent
