#include "agent/tail/position_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "agent/tail/container_time.h"
#include "base/background.h"

namespace agent {
namespace {

constexpr std::size_t kMaxPositionsBytes = std::size_t{256} << 20;
constexpr std::chrono::milliseconds kSyncDelay{1000};
constexpr std::chrono::minutes kGraceCheck{30};
constexpr int64_t kRetryNanos = 5 * kNanosPerSecond;

// Under this name the journal has when positions.yaml was last modified, among what was written to
// it: other names there are absolute paths.
const std::string kModified = "positions.yaml";

bool FileExists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

}  // namespace

PositionStore::PositionStore(PositionStoreOptions options, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      alive_(std::make_shared<PositionStore*>(this)) {}

PositionStore::~PositionStore() = default;

Result<std::unique_ptr<PositionStore>> PositionStore::Open(PositionStoreOptions options,
                                                           const Clock& clock, Logger& logger) {
  std::unique_ptr<PositionStore> store(new PositionStore(std::move(options), clock, logger));
  Status locked = store->Lock();
  if (!locked.ok()) return std::move(locked).error();
  store->Load();
  return store;
}

Status PositionStore::Lock() {
  if (options_.read_only || options_.filename.empty()) return {};
  const std::string path = options_.filename + ".lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!fd.valid()) {
    // A read-only or full disk is no reason not to start.
    ReportJournal(ErrnoError(errno, path));
    return {};
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    if (reason == EWOULDBLOCK) {
      return Error{ErrorCode::kUnavailable,
                   options_.filename +
                       ": another agent uses this positions file; give each its own "
                       "positions.filename"};
    }
    ReportJournal(ErrnoError(reason, path));
    return {};
  }
  const std::string pid = std::to_string(::getpid()) + '\n';
  if (::ftruncate(fd.get(), 0) == 0) {
    const Status written = WriteAll(fd.get(), pid);  // For people; nobody reads it back.
    if (!written.ok()) logger_.Debug("tail", "lock file not written", {{"path", path}});
  }
  lock_ = std::move(fd);
  return {};
}

void PositionStore::Load() {
  if (options_.filename.empty()) return;
  JournalReport report;
  journal_ = Journal::Load(options_.filename + ".journal", report);
  const bool damaged = report.damaged_records > 0 || report.torn_bytes > 0 ||
                       (report.existed && report.records == 0);
  if (damaged || report.used_previous) {
    logger_.Warn("tail", "positions journal was damaged: continuing with what is whole",
                 {{"path", journal_.path()},
                  {"records", report.records},
                  {"damaged_records", report.damaged_records},
                  {"torn_bytes", report.torn_bytes},
                  {"previous_used", report.used_previous ? "true" : "false"},
                  {"cost", "some lines may be sent again"}});
  }
  LoadPositions();
  CompareCursors();
  ForgetOld();
  // Also makes a whole journal of a damaged one, and the present one the previous.
  if (!options_.read_only) ReportJournal(journal_.Rewrite());
}

void PositionStore::LoadPositions() {
  const Result<std::string> text = ReadWholeFile(options_.filename, kMaxPositionsBytes);
  if (!text.ok()) {
    if (text.error().code != ErrorCode::kNotFound) {
      logger_.Warn("tail", "positions file cannot be read: using the journal",
                   {{"path", options_.filename}, {"error", text.error().message}});
    }
    return;
  }
  const Result<FileStat> info = StatPath(options_.filename);
  if (info.ok()) loaded_modified_ns_ = info->modified_ns;
  ParsedPositions parsed = ParsePositions(*text);
  if (parsed.bad_lines > 0) {
    logger_.Warn("tail", "positions file is damaged: its bad lines are ignored",
                 {{"path", options_.filename},
                  {"bad_lines", parsed.bad_lines},
                  {"entries", parsed.entries.size()},
                  {"hint", "what is missing comes from the journal"}});
  }
  CompareTime(parsed.entries);
  CompareWithWritten(parsed.entries);
  others_ = std::move(parsed.entries);
}

void PositionStore::CompareTime(const PositionEntries& entries) {
  const auto known = journal_.state().written.find(kModified);
  if (known == journal_.state().written.end() || loaded_modified_ns_ == 0) return;
  const auto modified = static_cast<uint64_t>(loaded_modified_ns_);
  const WrittenPosition written = known->second;
  if (written.latest != modified) journal_.SetWritten(kModified, modified);
  if (written.latest == modified || written.previous == modified) return;
  logger_.Info("tail", "positions.yaml was written by another program: its offsets count",
               {{"path", options_.filename}});
  for (const auto& [path, value] : entries) {
    // Of a container that it has asked the daemon for, the cursor is its position, and the offset
    // still ours.
    const std::string_view container = ContainerOfLog(path);
    if (container.empty() || !entries.contains("cursor-" + std::string(container))) {
      journal_.ForgetWritten(path);
    }
  }
}

void PositionStore::CompareWithWritten(const PositionEntries& entries) {
  for (const auto& [path, value] : entries) {
    if (IsCursorKey(path)) continue;
    const std::optional<uint64_t> offset = ParseOffset(value);
    if (!offset) {
      logger_.Warn("tail", "position is no number: ignored", {{"path", path}, {"value", value}});
      continue;
    }
    const auto written = journal_.state().written.find(path);
    const bool ours = written != journal_.state().written.end() &&
                      (written->second.latest == *offset || written->second.previous == *offset);
    if (!ours) foreign_[path] = *offset;
    // The latest never got there: the next one must not push this one out.
    if (ours && written->second.latest != *offset) journal_.SetWritten(path, *offset);
  }
}

void PositionStore::CompareCursors() {
  const std::map<std::string, CursorRecord> known = journal_.state().cursors;
  for (const auto& [key, record] : known) {
    const auto at = others_.find(key);
    const bool ours =
        at == others_.end() || at->second == record.latest || at->second == record.previous;
    if (!ours) {
      journal_.SetCursor(key, at->second);
      continue;
    }
    // The latest never got there: the next one must not push this one out.
    if (at != others_.end()) journal_.SetCursorWritten(key, at->second);
    others_[key] = record.settled;
  }
}

std::optional<uint64_t> PositionStore::Foreign(const std::string& path) const {
  const auto at = foreign_.find(path);
  if (at == foreign_.end()) return std::nullopt;
  return at->second;
}

void PositionStore::TakeForeign(const std::string& path) {
  const auto at = foreign_.find(path);
  if (at == foreign_.end()) return;
  // From here on it is known: should we be killed, it is not given again.
  journal_.SetWritten(path, at->second);
  foreign_.erase(at);
}

void PositionStore::Put(SourceRecord record) {
  journal_.Put(std::move(record));
  changed_ = true;
}

void PositionStore::SetSettled(const SourceKey& key, const std::vector<uint64_t>& offsets) {
  journal_.SetSettled(key, offsets);
  changed_ = true;
}

void PositionStore::Forget(const SourceKey& key) {
  journal_.Forget(key);
  changed_ = true;
}

void PositionStore::Commit() {
  if (options_.read_only || !journal_.dirty()) return;
  if (!journal_problem_.empty() && clock_.MonotonicNanos() < next_try_ns_) return;
  const Status flushed = journal_.Flush();
  if (!flushed.ok()) next_try_ns_ = clock_.MonotonicNanos() + kRetryNanos;
  ReportJournal(flushed);
  ScheduleSync();
  if (loop_ != nullptr && journal_.WantsRewrite()) RewriteInBackground();
}

std::string PositionStore::Cursor(const std::string& key) const {
  const auto at = others_.find(key);
  return at == others_.end() ? std::string() : at->second;
}

void PositionStore::SetCursor(const std::string& key, const std::string& value) {
  if (!options_.read_only) {
    const auto at = others_.find(key);
    // What another program has left: it stands in the file until that is written.
    const bool fresh = at != others_.end() && !journal_.state().cursors.contains(key);
    const std::string left = fresh ? at->second : std::string();
    journal_.SetCursor(key, value);
    if (fresh) journal_.SetCursorWritten(key, left);
  }
  others_[key] = value;
  changed_ = true;
}

void PositionStore::RemoveCursor(const std::string& key) {
  others_.erase(key);
  if (!options_.read_only) journal_.ForgetCursor(key);
  changed_ = true;
}

std::string PositionStore::Compose(const Offsets& offsets) {
  PositionEntries entries;
  for (auto at = others_.begin(); at != others_.end();) {
    // As in Promtail: an entry whose file is gone goes.
    if (!IsCursorKey(at->first) && !offsets.contains(at->first) && !FileExists(at->first)) {
      at = others_.erase(at);
      continue;
    }
    // An entry of ours that is no longer followed stays as it is, too: its file is still there.
    entries.insert(*at++);
  }
  for (const auto& [path, offset] : offsets) {
    entries[path] = std::to_string(offset);
    others_[path] = std::to_string(offset);
    journal_.SetWritten(path, offset, /*replaces_latest=*/!saved_);
  }
  for (const auto& [key, value] : others_) {
    if (IsCursorKey(key)) journal_.SetCursorWritten(key, value, /*replaces_latest=*/!saved_);
  }
  saved_ = false;
  std::vector<std::string> gone;
  for (const auto& [path, written] : journal_.state().written) {
    if (!entries.contains(path) && path != kModified) gone.push_back(path);
  }
  for (const std::string& path : gone)
    journal_.ForgetWritten(path);
  return FormatPositions(entries);
}

// Whole seconds: every file system can keep them, and what others write is hardly ever that exact.
int64_t PositionStore::NextTime() {
  const int64_t now_ns = clock_.WallNanos() / kNanosPerSecond * kNanosPerSecond;
  journal_.SetWritten(kModified, static_cast<uint64_t>(now_ns), /*replaces_latest=*/!time_saved_);
  time_saved_ = false;
  return now_ns;
}

void PositionStore::SavePositions(const Offsets& offsets) {
  if (options_.read_only || options_.filename.empty()) return;
  const std::string text = Compose(offsets);
  saved_ = text == last_saved_;
  if (saved_) return Commit();
  const int64_t modified_ns = NextTime();
  Commit();
  const Status saved = ReplaceFile(options_.filename, text, modified_ns);
  ReportPositions(saved);
  if (saved.ok()) last_saved_ = text;
}

void PositionStore::ForgetOld() {
  const int64_t now_s = clock_.WallNanos() / kNanosPerSecond;
  std::vector<SourceKey> old;
  for (const auto& [key, record] : journal_.state().sources) {
    if (record.gone_since_s == 0 || now_s - record.gone_since_s <= options_.grace.count()) continue;
    const Result<FileStat> info = StatPath(record.place);
    // Nobody reads it, but should somebody want to again, it is not to be read twice.
    if (!info.ok() || info->key != record.identity.key) old.push_back(key);
  }
  for (const SourceKey& key : old)
    journal_.Forget(key);
}

void PositionStore::Start(Loop& loop, std::function<Offsets()> offsets) {
  loop_ = &loop;
  offsets_ = std::move(offsets);
  if (options_.read_only) return;
  save_timer_ = std::make_unique<Timer>(loop);
  save_timer_->StartRepeating(options_.sync_period, [this] { SaveInBackground(); });
  sync_timer_ = std::make_unique<Timer>(loop);
  grace_timer_ = std::make_unique<Timer>(loop);
  grace_timer_->StartRepeating(kGraceCheck, [this] {
    ForgetOld();
    Commit();
  });
  ScheduleSync();
}

void PositionStore::Stop() {
  save_timer_.reset();
  sync_timer_.reset();
  grace_timer_.reset();
  {
    const MutexLock lock(gate_->mutex);
    gate_->closed = true;
  }
  last_saved_.clear();
  if (options_.read_only || options_.filename.empty()) return;
  next_try_ns_ = 0;
  if (offsets_) SavePositions(offsets_());
  Commit();
  const UniqueFd fd = journal_.DuplicateFd();
  if (fd.valid() && ::fdatasync(fd.get()) != 0) ReportJournal(ErrnoError(errno, journal_.path()));
  alive_.reset();
}

void PositionStore::ScheduleSync() {
  if (loop_ == nullptr || sync_timer_ == nullptr || sync_timer_->active()) return;
  sync_timer_->StartOnce(kSyncDelay, [this] {
    auto fd = std::make_shared<UniqueFd>(journal_.DuplicateFd());  // Shared: functions are copied.
    if (!fd->valid()) return;
    auto error = std::make_shared<int>(0);
    RunInBackground(
        *loop_, [fd, error] { *error = ::fdatasync(fd->get()) == 0 ? 0 : errno; },
        [weak = std::weak_ptr<PositionStore*>(alive_), error] {
          const auto store = weak.lock();
          if (store && *error != 0)
            (*store)->ReportJournal(ErrnoError(*error, "fsync of the journal"));
        });
  });
}

void PositionStore::SaveInBackground() {
  if (journal_.dirty()) Commit();  // A failed write is tried again.
  if (saving_ || !changed_) return;
  changed_ = false;
  const std::string text = Compose(offsets_());
  saved_ = text == last_saved_;
  if (saved_) return Commit();
  const int64_t modified_ns = NextTime();
  Commit();
  saving_ = true;
  auto status = std::make_shared<Status>();
  RunInBackground(
      *loop_,
      [path = options_.filename, text, modified_ns, status, gate = gate_] {
        const MutexLock lock(gate->mutex);
        if (!gate->closed) *status = ReplaceFile(path, text, modified_ns);
      },
      [weak = std::weak_ptr<PositionStore*>(alive_), text, status] {
        const auto store = weak.lock();
        if (!store) return;
        (*store)->saving_ = false;
        (*store)->ReportPositions(*status);
        if (status->ok()) {
          (*store)->last_saved_ = text;
        } else {
          (*store)->changed_ = true;
        }
      });
}

void PositionStore::RewriteInBackground() {
  auto content = std::make_shared<std::string>(journal_.BeginRewrite());
  auto result = std::make_shared<Result<UniqueFd>>(UniqueFd());
  RunInBackground(
      *loop_,
      [path = journal_.path(), content, result] {
        *result = Journal::WriteRewrite(path, *content);
      },
      [weak = std::weak_ptr<PositionStore*>(alive_), result] {
        const auto store = weak.lock();
        if (store) (*store)->ReportJournal((*store)->journal_.FinishRewrite(std::move(*result)));
      });
}

void PositionStore::ReportPositions(const Status& status) {
  saved_ = status.ok();
  time_saved_ = status.ok();
  Report(status, positions_problem_);
}

void PositionStore::Report(const Status& status, std::string& problem) {
  if (status.ok()) {
    if (problem.empty()) return;
    problem.clear();
    if (this->problem().empty()) logger_.Info("tail", "positions can be written again");
    return;
  }
  ++write_failures_;
  problem = status.error().message;
  logger_.WriteLimited(LogLevel::kError, "positions", "tail",
                       "positions cannot be written: after a restart lines would be sent again",
                       {{"error", problem}, {"hint", "free or remount the disk; retried"}});
}

}  // namespace agent
