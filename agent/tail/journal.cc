#include "agent/tail/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "agent/tail/journal_records.h"
#include "agent/tail/positions_file.h"
#include "base/check.h"

namespace agent {
namespace {

constexpr std::size_t kMaxCursorBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxJournalBytes = std::size_t{512} << 20;
// A journal smaller than this is not worth a rewrite.
constexpr uint64_t kMinRewriteBytes = 1 << 20;

bool Damaged(const JournalReport& report) {
  return report.records == 0 || report.damaged_records > 0;
}

}  // namespace

uint64_t SourceRecord::MinSettled() const {
  uint64_t least = settled.empty() ? 0 : std::numeric_limits<uint64_t>::max();
  for (const auto& [name, offset] : settled)
    least = std::min(least, offset);
  return least;
}

Journal Journal::Load(std::string path, JournalReport& report) {
  Journal journal;
  journal.path_ = std::move(path);
  const Result<std::string> bytes = ReadWholeFile(journal.path_, kMaxJournalBytes);
  JournalState state;
  if (bytes.ok()) ReplayJournal(*bytes, state, report);
  report.existed = bytes.ok();
  if (!bytes.ok() || Damaged(report)) {
    const Result<std::string> previous = ReadWholeFile(journal.path_ + ".bak", kMaxJournalBytes);
    if (previous.ok()) {
      // The previous one first; what is still whole in the present one then goes over it.
      JournalReport ignored;
      JournalReport again;
      state = {};
      ReplayJournal(*previous, state, ignored);
      if (bytes.ok()) ReplayJournal(*bytes, state, again);
      report.used_previous = true;
    }
  }
  journal.state_ = std::move(state);
  journal.rewrite_ = true;  // What was damaged must not be appended to.
  return journal;
}

void Journal::Put(SourceRecord record) {
  const auto at = state_.sources.find(record.key);
  if (at != state_.sources.end() && at->second == record) return;
  EncodeSource(record, pending_);
  const SourceKey key = record.key;
  state_.sources[key] = std::move(record);
}

void Journal::SetSettled(const SourceKey& key, const std::vector<uint64_t>& offsets) {
  const auto at = state_.sources.find(key);
  CHECK(at != state_.sources.end() && at->second.settled.size() == offsets.size());
  bool changed = false;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    changed = changed || at->second.settled[i].second != offsets[i];
    at->second.settled[i].second = offsets[i];
  }
  if (changed) EncodeSettled(at->second, pending_);
}

void Journal::Forget(const SourceKey& key) {
  if (state_.sources.erase(key) != 0) EncodeForget(key, pending_);
}

void Journal::SetWritten(const std::string& path, uint64_t offset, bool replaces_latest) {
  const auto [at, fresh] = state_.written.try_emplace(path, WrittenPosition{offset, offset});
  if (!fresh) {
    if (at->second.latest == offset) return;
    if (!replaces_latest) at->second.previous = at->second.latest;
    at->second.latest = offset;
  }
  EncodeWritten(path, at->second, pending_);
}

void Journal::ForgetWritten(const std::string& path) {
  if (state_.written.erase(path) != 0) EncodeForgetWritten(path, pending_);
}

void Journal::SetCursor(const std::string& key, const std::string& value) {
  if (key.size() + value.size() > kMaxCursorBytes) return;
  CursorRecord& record = state_.cursors[key];
  if (record.settled == value) return;
  record.settled = value;
  EncodeCursor(key, value, pending_);
}

void Journal::SetCursorWritten(const std::string& key, const std::string& value,
                               bool replaces_latest) {
  const auto at = state_.cursors.find(key);
  if (at == state_.cursors.end() || at->second.latest == value) return;
  if (!replaces_latest) at->second.previous = at->second.latest;
  at->second.latest = value;
  EncodeCursorWritten(key, at->second, pending_);
}

void Journal::ForgetCursor(const std::string& key) {
  if (state_.cursors.erase(key) != 0) EncodeForgetCursor(key, pending_);
}

Status Journal::Append(std::string_view records) {
  const Status written = WriteAll(fd_.get(), records);
  if (written.ok()) {
    file_bytes_ += records.size();
    return {};
  }
  // Half a record at the end would be cut at the next start; in the middle it would look like
  // damage.
  if (::ftruncate(fd_.get(), static_cast<off_t>(file_bytes_)) != 0) fd_.Reset();
  return Error(written.error()).Wrap(path_);
}

Status Journal::Flush() {
  if (path_.empty() || !dirty()) {
    pending_.clear();
    return {};
  }
  if (rewrite_ || !fd_.valid()) return rewriting_ ? Status{} : Rewrite();
  const std::string records = std::exchange(pending_, {});
  Status status = Append(records);
  if (!status.ok()) rewrite_ = true;
  // Also what could not be written: the file that is on its way must have it.
  if (rewriting_) since_begin_ += records;
  return status;
}

Status Journal::Rewrite() {
  if (path_.empty()) return {};
  const std::string content = BeginRewrite();
  return FinishRewrite(WriteRewrite(path_, content));
}

bool Journal::WantsRewrite() const {
  return !rewriting_ && !path_.empty() &&
         file_bytes_ > std::max(kMinRewriteBytes, 4 * rewritten_bytes_);
}

std::string Journal::BeginRewrite() {
  rewriting_ = true;
  since_begin_ = {};
  pending_.clear();  // The state has it already.
  return FormatJournal(state_);
}

Result<UniqueFd> Journal::WriteRewrite(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                     S_IRUSR | S_IWUSR));
  if (!fd.valid()) return ErrnoError(errno, temporary);
  Status written = WriteAll(fd.get(), content);
  if (written.ok() && ::fsync(fd.get()) != 0) written = ErrnoError(errno, "fsync");
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return Error(written.error()).Wrap(temporary);
  }
  return fd;
}

Status Journal::FinishRewrite(Result<UniqueFd> written) {
  rewriting_ = false;
  const std::string missed = std::exchange(since_begin_, {}) + std::exchange(pending_, {});
  if (!written.ok()) {
    rewrite_ = true;
    return std::move(written).error();
  }
  UniqueFd fd = std::move(written).value();
  const std::string temporary = path_ + ".tmp";
  const Status appended = WriteAll(fd.get(), missed);
  if (!appended.ok()) {
    rewrite_ = true;
    ::unlink(temporary.c_str());
    return Error(appended.error()).Wrap(temporary);
  }
  // There is a whole journal under its name at every moment; losing the backup is no failure.
  const std::string backup = path_ + ".bak";
  if (::access(path_.c_str(), F_OK) == 0) {
    ::unlink(backup.c_str());
    if (::link(path_.c_str(), backup.c_str()) != 0 && errno == EPERM) {
      ::rename(path_.c_str(), backup.c_str());  // A file system without hard links.
    }
  }
  if (::rename(temporary.c_str(), path_.c_str()) != 0) {
    rewrite_ = true;
    return ErrnoError(errno, path_);
  }
  struct stat info {};
  file_bytes_ = ::fstat(fd.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  rewritten_bytes_ = file_bytes_;
  fd_ = std::move(fd);
  rewrite_ = false;
  return {};
}

UniqueFd Journal::DuplicateFd() const {
  return fd_.valid() ? UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)) : UniqueFd();
}

}  // namespace agent
