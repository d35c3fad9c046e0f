// Where the agent remembers how far it has got: positions.yaml, which Promtail can read and write,
// and the journal beside it, which knows identities and each output's progress. When the disk is
// full or read-only the agent runs on, says so, and tries again; what was on the disk stays valid.
//
// Who wins: where positions.yaml has another value for a path than the journal says was last
// written there, another program wrote it. And when the file as a whole was written by another
// program, which its time tells, all values are that program's, also those that are the same.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/tail/journal.h"
#include "agent/tail/positions_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

struct PositionStoreOptions {
  std::string filename;  // The positions file; the journal and the lock are named after it.
  std::chrono::milliseconds sync_period{10'000};
  // Reads what is there, writes and locks nothing: for a dry run.
  bool read_only = false;
  // How long a file that is gone is remembered, should it come back.
  std::chrono::seconds grace{24 * 60 * 60};
};

// Loop thread.
class PositionStore {
 public:
  // What stands in positions.yaml for every followed path; asked for when it is written.
  using Offsets = std::map<std::string, uint64_t>;

  // Fails only when another process has the same positions file open (kUnavailable). `clock` and
  // `logger` outlive the store.
  static Result<std::unique_ptr<PositionStore>> Open(PositionStoreOptions options,
                                                     const Clock& clock, Logger& logger);
  PositionStore(const PositionStore&) = delete;
  PositionStore& operator=(const PositionStore&) = delete;
  ~PositionStore();

  // From now on writes by itself: the journal's fsync within a second, positions.yaml each
  // sync_period when something has changed. `loop` outlives the store.
  void Start(Loop& loop, std::function<Offsets()> offsets);
  // Writes everything now and waits for the disk; stops the timers.
  void Stop();

  [[nodiscard]] const JournalState& state() const { return journal_.state(); }

  // The offset that another program has left for `path`; nothing when the entry is our own, or
  // there is none. Each is given once: TakeForeign() forgets it.
  [[nodiscard]] std::optional<uint64_t> Foreign(const std::string& path) const;
  void TakeForeign(const std::string& path);
  // When positions.yaml had last been written when it was loaded, by the wall clock; 0: it was not
  // there.
  [[nodiscard]] int64_t loaded_modified_ns() const { return loaded_modified_ns_; }

  // Change the journal; on disk after Commit().
  void Put(SourceRecord record);
  void SetSettled(const SourceKey& key, const std::vector<uint64_t>& offsets);
  void Forget(const SourceKey& key);
  // Appends the changes, with one write. Call at the end of a turn of the loop.
  void Commit();

  // Other rooms' entries: "cursor-..." and "journal-...". Empty when there is none. Changes are on
  // disk after Commit().
  [[nodiscard]] std::string Cursor(const std::string& key) const;
  void SetCursor(const std::string& key, const std::string& value);
  void RemoveCursor(const std::string& key);

  // Writes positions.yaml now, on this thread.
  void SavePositions(const Offsets& offsets);

  // Drops what has been gone for longer than the grace period.
  void ForgetOld();

  // Why nothing can be written at present; empty when all is well. For pages.
  [[nodiscard]] const std::string& problem() const {
    return journal_problem_.empty() ? positions_problem_ : journal_problem_;
  }
  // Writes that failed since the start.
  [[nodiscard]] uint64_t write_failures() const { return write_failures_; }

 private:
  PositionStore(PositionStoreOptions options, const Clock& clock, Logger& logger);

  Status Lock();
  void Load();
  void LoadPositions();
  // What was written to positions.yaml before, stands there no more, when another program wrote it.
  void CompareTime(const PositionEntries& entries);
  void CompareWithWritten(const PositionEntries& entries);
  // The same for cursors: what has settled since they were written is in the journal.
  void CompareCursors();
  // What positions.yaml has to say now; also notes it in the journal, before the file is written.
  std::string Compose(const Offsets& offsets);
  // The time that positions.yaml gets when it is written next; noted in the journal.
  int64_t NextTime();
  void ScheduleSync();
  void SaveInBackground();
  void RewriteInBackground();
  // Of the journal, or of positions.yaml: one may fail without the other.
  void Report(const Status& status, std::string& problem);
  void ReportJournal(const Status& status) { Report(status, journal_problem_); }
  void ReportPositions(const Status& status);

  const PositionStoreOptions options_;
  const Clock& clock_;
  Logger& logger_;
  UniqueFd lock_;
  Journal journal_;
  PositionEntries others_;  // Cursors, and paths that are not ours (yet).
  Offsets foreign_;
  int64_t loaded_modified_ns_ = 0;
  std::string last_saved_;
  bool saved_ = true;  // What the journal says was last written to positions.yaml stands there.
  bool time_saved_ = true;  // So does the time.
  std::string journal_problem_;
  std::string positions_problem_;
  uint64_t write_failures_ = 0;
  int64_t next_try_ns_ = 0;  // Of a failed write of the journal.

  Loop* loop_ = nullptr;
  std::function<Offsets()> offsets_;
  std::unique_ptr<Timer> save_timer_;
  std::unique_ptr<Timer> sync_timer_;
  std::unique_ptr<Timer> grace_timer_;
  bool saving_ = false;
  bool changed_ = true;  // Since positions.yaml was written: an idle agent writes nothing.
  // Shared with the thread that writes positions.yaml, so that Stop() has the last word.
  struct SaveGate {
    Mutex mutex;
    bool closed GUARDED_BY(mutex) = false;
  };
  std::shared_ptr<SaveGate> gate_ = std::make_shared<SaveGate>();
  // Background work holds a weak reference: it may end after the store.
  std::shared_ptr<PositionStore*> alive_;
};

}  // namespace agent
