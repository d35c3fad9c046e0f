#include "outputs/dead_letter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/http/http_auth.h"
#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::string_view kPrefix = "dead-letter-";
constexpr std::string_view kSuffix = ".ndjson";
// The bound is kept by removing whole files: so many of them share it.
constexpr uint64_t kFiles = 8;

void AppendJsonText(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  out += '"';
}

// `"name":"text"`, or `"name_base64":"…"` for bytes that are not UTF-8: nothing is lost either way.
void AppendField(std::string_view name, std::string_view text, std::string& out) {
  const bool plain = IsValidUtf8(text);
  if (out.back() != '{') out += ',';
  AppendJsonText(std::string(name) + (plain ? "" : "_base64"), out);
  out += ':';
  AppendJsonText(plain ? std::string(text) : Base64(text), out);
}

std::string FormatTime(int64_t wall_ns) {
  int64_t second = wall_ns / kNanosPerSecond;
  int64_t nanos = wall_ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --second;
  }
  const time_t time = second;
  tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + size, text.size() - size, ".%09dZ", static_cast<int>(nanos));
  return text.data();
}

void AppendOrigin(const DeadLetterEntry& entry, std::string& out) {
  AppendField("job", entry.job, out);
  if (!entry.source.empty()) AppendField("source", entry.source, out);
  out += ",\"offset\":" + std::to_string(entry.offset) + "}\n";
}

void AppendEntry(const DeadLetterEntry& entry, const std::string& now, std::string& out) {
  out += '{';
  AppendField("time", now, out);
  AppendField("reason", entry.reason, out);
  AppendField("output", entry.output, out);
  if (!entry.document.empty()) {
    AppendField("index", entry.index, out);
    AppendField("id", entry.id, out);
    out += ",\"status\":" + std::to_string(entry.status);
    out += ",\"document\":" + std::string(entry.document);
    return AppendOrigin(entry, out);
  }
  AppendField("tenant", entry.tenant, out);
  AppendField("labels", entry.labels, out);
  AppendField("timestamp", FormatTime(entry.timestamp_ns), out);
  AppendField("line", entry.line, out);
  if (!entry.metadata.empty()) {
    out += R"(,"structured_metadata":{)";
    for (const auto& [name, value] : entry.metadata)
      AppendField(name, value, out);
    out += '}';
  }
  AppendOrigin(entry, out);
}

}  // namespace

DeadLetter::DeadLetter(Options options, const Clock& clock, Logger& logger)
    : options_(std::move(options)), clock_(clock), logger_(logger) {}

bool DeadLetter::Append(std::span<const DeadLetterEntry> entries) {
  if (entries.empty()) return true;
  if (options_.path.empty() || options_.max_size_bytes == 0) {
    lost_entries_ += entries.size();
    return false;
  }
  const std::string now = FormatTime(clock_.WallNanos());
  std::string text;
  for (const DeadLetterEntry& entry : entries)
    AppendEntry(entry, now, text);

  const Status written = Write(text);
  if (written.ok()) {
    written_entries_ += entries.size();
    return true;
  }
  LeaveFile();
  lost_entries_ += entries.size();
  logger_.WriteLimited(LogLevel::kError, "dead_letter", "dead_letter",
                       "refused entries could not be kept: they are lost",
                       {{"path", options_.path},
                        {"entries", entries.size()},
                        {"error", written.error().message},
                        {"hint", "free space, or set dead_letter.path"}});
  return false;
}

// The next one starts a new file: this one may end in half a line. An empty one goes, or a disk
// that stays full would get as many as there are tries.
void DeadLetter::LeaveFile() {
  const bool opened = fd_.valid();
  fd_.Reset();
  if (!opened || files_.back().size > 0) return;
  if (::unlink(PathOf(files_.back().number).c_str()) == 0) files_.pop_back();
}

uint64_t DeadLetter::size_bytes() const {
  uint64_t size = 0;
  for (const File& file : files_)
    size += file.size;
  return size;
}

std::string DeadLetter::PathOf(uint64_t number) const {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(number));
  return options_.path + "/" + std::string(kPrefix) + digits.data() + std::string(kSuffix);
}

// Makes the folder, or finds the files of earlier runs in it.
Status DeadLetter::Scan() {
  std::error_code error;
  std::filesystem::create_directories(options_.path, error);
  if (error) return ErrnoError(error.value(), "create " + options_.path);
  for (std::filesystem::directory_iterator at(options_.path, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    File file;
    const char* const digits = name.data() + kPrefix.size();
    const char* const digits_end = name.data() + name.size() - kSuffix.size();
    if (std::from_chars(digits, digits_end, file.number, 16).ec != std::errc()) continue;
    std::error_code unknown;  // Then its size counts as nothing.
    const std::uintmax_t size = at->file_size(unknown);
    if (!unknown) file.size = size;
    files_.push_back(file);
  }
  if (error) return ErrnoError(error.value(), "list " + options_.path);
  std::sort(files_.begin(), files_.end(),
            [](const File& a, const File& b) { return a.number < b.number; });
  scanned_ = true;
  return {};
}

// Begins a new file.
Status DeadLetter::Open() {
  if (!scanned_) {
    files_.clear();  // Of a scan that ended early.
    Status scanned = Scan();
    if (!scanned.ok()) return scanned;
  }
  uint64_t number = files_.empty() ? 1 : files_.back().number + 1;
  std::string path = PathOf(number);
  const auto create = [&path] {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  };
  fd_.Reset(create());
  // Another process writes into this folder, too.
  while (!fd_.valid() && errno == EEXIST) {
    path = PathOf(++number);
    fd_.Reset(create());
  }
  if (!fd_.valid()) return ErrnoError(errno, "open " + path);
  files_.push_back({number, 0});
  const UniqueFd folder(::open(options_.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.valid()) ::fsync(folder.get());
  return {};
}

Status DeadLetter::MakeRoom(std::size_t more) {
  const uint64_t per_file = options_.max_size_bytes / kFiles;
  if (!fd_.valid() || (files_.back().size > 0 && files_.back().size + more > per_file)) {
    Status opened = Open();
    if (!opened.ok()) return opened;
  }
  while (files_.size() > 1 && size_bytes() + more > options_.max_size_bytes) {
    const std::string path = PathOf(files_.front().number);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, "remove " + path);
    files_.erase(files_.begin());
    ++removed_files_;
  }
  return {};
}

Status DeadLetter::Write(std::string_view text) {
  Status written = WriteOnce(text);
  if (!written.ok() || StillThere()) return written;
  // Somebody has removed the file, perhaps before this came into it.
  fd_.Reset();
  files_.pop_back();
  return WriteOnce(text);
}

// The open file is the one that has its name.
bool DeadLetter::StillThere() const {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd_.get(), &open) == 0 &&
         ::stat(PathOf(files_.back().number).c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

Status DeadLetter::WriteOnce(std::string_view text) {
  Status room = MakeRoom(text.size());
  if (!room.ok()) return room;
  File& file = files_.back();
  while (!text.empty()) {
    const ssize_t count = ::write(fd_.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "write " + PathOf(file.number));
    file.size += static_cast<uint64_t>(count);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fdatasync(fd_.get()) != 0) return ErrnoError(errno, "sync " + PathOf(file.number));
  return {};
}

}  // namespace agent
