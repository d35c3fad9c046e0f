#include "agent/receivers/journal/journal_source.h"

#include <algorithm>
#include <optional>

#include "agent/receivers/journal/bus_guard.h"

namespace agent {
namespace {

// After so many entries others get their turn, also when none of them has become a line.
constexpr std::size_t kMaxEntries = 8192;
constexpr int64_t kRetryNanos = kNanosPerSecond;
constexpr int64_t kLookNanos = 9 * kNanosPerSecond;
constexpr std::string_view kMessage = "MESSAGE";

JournalFields FieldsFor(const JournalLabels& labels, bool json) {
  if (json || labels.wants_all()) return {};
  std::vector<std::string> wanted = labels.wanted();
  wanted.emplace_back(kMessage);
  return JournalFields(std::move(wanted));
}

JournalTrouble CannotOpen(const Error& error) {
  if (error.code == ErrorCode::kPermission) {
    return {error.message, "run the agent as root, or add its user to the group systemd-journal"};
  }
  return {error.message, "it is tried again; in a container the host's journal must be mounted"};
}

std::string Joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& item : list)
    text += (text.empty() ? "" : ", ") + item;
  return text;
}

}  // namespace

JournalSource::JournalSource(Init init, JournalLabels labels, const Clock& clock, Logger& logger)
    : init_(std::move(init)),
      labels_(std::move(labels)),
      clock_(clock),
      logger_(logger),
      roots_(JournalRoots(init_.path)),
      cursor_(init_.cursor),
      fields_(FieldsFor(labels_, init_.json)) {}

ReadStatus JournalSource::Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) {
  if (!Prepare()) return Idle();
  const Stop stop = Collect(buffer, max_bytes);
  init_.link->AddMarks(marks_);
  if (pieces_.empty() && stop == Stop::kAtEnd) return Idle();

  lines_.clear();
  for (const Piece& piece : pieces_)
    lines_.push_back({{buffer.data() + piece.at, piece.bytes}, piece.labels, piece.timestamp_ns});
  chunk.data = std::string_view(buffer.data(), collected_);
  chunk.offset = offset_;
  chunk.lines = lines_;
  offset_ += collected_;
  init_.link->lines.Add(pieces_.size());
  init_.link->bytes.Add(collected_);
  // With an empty chunk others read now, then we go on; but not for ever where nothing helps.
  return pieces_.empty() && reader_ == nullptr && !progressed_ ? Idle() : ReadStatus::kData;
}

ReadStatus JournalSource::Idle() {
  init_.link->SetIdle();
  return ReadStatus::kIdle;
}

// --- Opening, and what may be wrong.

bool JournalSource::Prepare() {
  const BusGuard guard;
  const int64_t now = clock_.MonotonicNanos();
  labels_.Trim();
  LookAround(now);
  return EnsureOpen(now);
}

bool JournalSource::EnsureOpen(int64_t now_ns) {
  if (reader_ != nullptr) return true;
  if (now_ns < next_try_ns_) return false;
  next_try_ns_ = now_ns + kRetryNanos;
  const Status opened = Open();
  if (opened) return true;
  CloseReader();
  SetCondition(/*open=*/false, CannotOpen(opened.error()), /*is_error=*/true);
  return false;
}

Status JournalSource::Open() {
  // Before it is opened: what is put in place meanwhile counts as changed.
  root_identities_ = IdentifyRoots(roots_);
  auto opened = JournalReader::Open(init_.path, init_.matches);
  if (!opened) return std::move(opened).error();
  reader_ = std::move(*opened);
  auto watch = reader_->WatchFd();
  if (watch) {
    init_.link->SetWatch(std::move(*watch));
  } else {
    init_.link->SetWatch(UniqueFd());
    logger_.Warn("journal", "the journal cannot be watched: it is looked at every few seconds",
                 {{"job", init_.job}, {"error", watch.error().message}});
  }
  progressed_ = false;
  Status positioned = GoToStart();
  if (!positioned) return positioned;
  CheckFiles();
  next_look_ns_ = clock_.MonotonicNanos() + kLookNanos;
  if (!std::exchange(begun_, true)) {
    logger_.Info("journal", "the journal is followed",
                 {{"job", init_.job},
                  {"journal", Joined(roots_)},
                  {"from", init_.cursor.empty() ? "max_age" : "the last position"}});
  }
  return {};
}

void JournalSource::CloseReader() {
  init_.link->SetWatch(UniqueFd());
  reader_.reset();
}

Status JournalSource::GoToStart() {
  if (cursor_.empty()) return GoToAge();
  if (std::exchange(step_over_, false)) return reader_->SeekTime(time_us_ + 1);
  const std::optional<uint64_t> time = JournalCursorTime(cursor_);
  const int64_t oldest_ns = clock_.WallNanos() - init_.max_age.count();
  if (!begun_ && init_.skips_older && time && static_cast<int64_t>(*time) * 1000 < oldest_ns) {
    logger_.Warn("journal", "entries older than max_age are skipped, as it is configured",
                 {{"job", init_.job},
                  {"seconds", (oldest_ns - static_cast<int64_t>(*time) * 1000) / kNanosPerSecond},
                  {"hint", "without max_age reading goes on at the last position"}});
    return GoToAge();
  }
  return GoAfterCursor();
}

Status JournalSource::GoToAge() {
  const int64_t oldest_ns = clock_.WallNanos() - init_.max_age.count();
  return reader_->SeekTime(static_cast<uint64_t>(std::max<int64_t>(0, oldest_ns) / 1000));
}

Status JournalSource::GoAfterCursor() {
  auto found = reader_->SeekEntry(cursor_);
  if (found.ok() && *found) return {};
  if (!found.ok() && found.error().code != ErrorCode::kInvalid) return std::move(found).error();
  const std::optional<uint64_t> time = JournalCursorTime(cursor_);
  if (!found.ok() || !time) {
    logger_.Warn("journal", "the last position is no cursor: reading begins at max_age",
                 {{"job", init_.job}, {"position", cursor_}});
    cursor_.clear();
    return GoToAge();
  }
  logger_.Warn("journal",
               "the entry of the last position is not there any more: reading goes on at its time",
               {{"job", init_.job},
                {"position", cursor_},
                {"hint", "what was deleted before it was read is lost: see SystemMaxUse"}});
  return reader_->SeekTime(*time);
}

void JournalSource::LookAround(int64_t now_ns) {
  if (reader_ == nullptr) return;
  const Result<bool> changed = reader_->TakeChanges();
  if (!changed.ok()) return AfterFailure(changed.error().message);
  files_changed_ = files_changed_ || *changed;
  if (now_ns < next_look_ns_) return;
  next_look_ns_ = now_ns + kLookNanos;
  if (IdentifyRoots(roots_) != root_identities_) {
    logger_.Info("journal", "the journal's folder is another one now: it is opened again",
                 {{"job", init_.job}, {"journal", Joined(roots_)}});
    return CloseReader();
  }
  if (!files_changed_ && trouble_.empty()) return;
  const std::size_t bad_before = bad_files_;
  CheckFiles();
  // libsystemd does not try again what it could not open.
  if (bad_files_ < bad_before) CloseReader();
}

void JournalSource::CheckFiles() {
  files_changed_ = false;
  const JournalFiles files = CheckJournalFiles(roots_);
  bad_files_ = files.bad.size();
  const bool only_damage = files.bad.size() < files.count &&
                           std::all_of(files.bad.begin(), files.bad.end(), [](const auto& file) {
                             return file.error.code == ErrorCode::kInvalid;
                           });
  SetCondition(/*open=*/true, WhatIsWrongWith(files), !only_damage);
}

JournalTrouble JournalSource::WhatIsWrongWith(const JournalFiles& files) const {
  if (files.count == 0) {
    return {"there are no journal files in " + Joined(roots_),
            "in a container the host's journal must be mounted; journald.conf(5) Storage says "
            "where it is"};
  }
  if (files.bad.empty() && init_.path.empty() && !reader_->has_files()) {
    return {"none of the journals in " + Joined(roots_) + " is of this machine",
            "mount the host's /etc/machine-id, or set path"};
  }
  return DescribeBadFiles(files);
}

void JournalSource::SetCondition(bool open, const JournalTrouble& trouble, bool is_error) {
  JournalLink::Condition condition;
  condition.open = open;
  condition.state = open ? "following" : "waiting";
  if (!trouble.what.empty()) {
    (is_error ? condition.error : condition.state) =
        (is_error ? "" : condition.state + ", ") + trouble.what + "; " + trouble.hint;
  }
  init_.link->SetCondition(std::move(condition));
  if (trouble.what == trouble_) return;
  trouble_ = trouble.what;
  if (trouble_.empty()) {
    logger_.Info("journal", "the journal can be read again", {{"job", init_.job}});
  } else {
    logger_.WriteLimited(LogLevel::kWarn, "journal " + init_.job, "journal",
                         open ? "not all of the journal can be read" : "the journal cannot be read",
                         {{"job", init_.job}, {"reason", trouble.what}, {"hint", trouble.hint}});
  }
}

void JournalSource::AfterFailure(std::string_view what) {
  init_.link->damaged.Add();
  logger_.WriteLimited(LogLevel::kWarn, "journal damaged " + init_.job, "journal",
                       "a part of the journal cannot be read: it is stepped over",
                       {{"job", init_.job}, {"reason", what}, {"after", cursor_}});
  // The second time at the same place.
  step_over_ = !progressed_ && time_us_ != 0;
  CloseReader();
  if (progressed_) next_try_ns_ = 0;
}

// --- Entries.

JournalSource::Stop JournalSource::Collect(BlockBuffer& buffer, std::size_t max_bytes) {
  const BusGuard guard;
  pieces_.clear();
  collected_ = 0;
  buffer.Ensure(max_bytes);
  for (std::size_t entries = 0; entries < kMaxEntries && collected_ < max_bytes; ++entries) {
    const auto step = reader_->Next();
    if (step.ok() && *step == JournalReader::Step::kEnd && !BusGuard::hit()) return Stop::kAtEnd;
    if (step.ok() && !BusGuard::hit()) TakeEntry(buffer);
    if (!step.ok() || BusGuard::hit()) {
      AfterFailure(step.ok() ? "a file was cut off while it was read" : step.error().message);
      return Stop::kFailed;
    }
  }
  return Stop::kFull;
}

void JournalSource::TakeEntry(BlockBuffer& buffer) {
  const auto time = reader_->Time();
  auto cursor = reader_->Cursor();
  bool too_long = false;
  const bool whole = ReadFields(too_long);
  if (BusGuard::hit()) return;
  progressed_ = true;
  if (cursor.ok()) cursor_ = std::move(*cursor);
  if (!whole || !cursor.ok() || !time.ok()) {
    Skipped(init_.link->damaged, "a damaged entry is skipped",
            "journalctl --verify says what is wrong");
  } else {
    time_us_ = *time;
    const std::string* const line = LineOf(too_long);
    if (line != nullptr) {
      const JournalLabels::Labelled& labelled = labels_.Find(fields_);
      if (labelled.outcome == JournalLabels::Outcome::kLabels) {
        AppendLine(buffer, *line, labelled.labels, *time);
      } else {
        CountUnlabelled(labelled.outcome);
      }
    }
  }
  marks_.push_back({offset_ + collected_, cursor_});
}

bool JournalSource::ReadFields(bool& too_long) {
  fields_.Clear();
  const Status read = reader_->ForEachField([&](std::string_view name, std::string_view value) {
    if (value.size() < kMaxLineBytes) return fields_.Add(name, value);
    if (!init_.json && name != kMessage) return;
    too_long = true;
    Skipped(init_.link->too_long, "a field of an entry is too long: it is left out",
            "8 MiB is what is read of a field");
  });
  return read.ok();
}

const std::string* JournalSource::LineOf(bool too_long) {
  if (!init_.json) {
    const std::string* const message = fields_.Find(kMessage);
    if (message == nullptr && !too_long) init_.link->no_message.Add();
    return message;
  }
  json_.clear();
  AppendJournalJson(fields_, json_);
  if (json_.size() < kMaxLineBytes) return &json_;
  Skipped(init_.link->too_long, "an entry is too long: it is skipped",
          "8 MiB is what is read of an entry");
  return nullptr;
}

void JournalSource::CountUnlabelled(JournalLabels::Outcome outcome) {
  // Both count as Promtail counts them; a rule that drops is obeyed, and needs no word.
  if (outcome == JournalLabels::Outcome::kDropped) {
    init_.link->empty_labels.Add();
  } else {
    Skipped(init_.link->empty_labels, "an entry without any label is skipped",
            "add labels to the journal section");
  }
}

void JournalSource::AppendLine(BlockBuffer& buffer, const std::string& line, const Labels& labels,
                               uint64_t time_us) {
  const std::size_t needed = collected_ + line.size() + 1;
  if (needed > buffer.capacity()) {
    buffer.Ensure(std::max(needed, 2 * buffer.capacity()), /*keep=*/collected_);
  }
  char* const to = buffer.data() + collected_;
  line.copy(to, line.size());
  to[line.size()] = '\n';
  pieces_.push_back({collected_, line.size(), &labels, static_cast<int64_t>(time_us) * 1000});
  collected_ = needed;
}

void JournalSource::Skipped(Counter& counter, std::string_view message, std::string_view hint) {
  counter.Add();
  logger_.WriteLimited(LogLevel::kWarn, std::string(message) + init_.job, "journal", message,
                       {{"job", init_.job}, {"after", cursor_}, {"hint", hint}});
}

}  // namespace agent
