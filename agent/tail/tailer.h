// Follows the files that the targets mean: finds them, tells rotated, copied, truncated and
// replaced ones apart, keeps a source for each, and remembers how far each has got. README.md has
// every case.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/tail/caught_files.h"
#include "agent/tail/dirty_files.h"
#include "agent/tail/file_table.h"
#include "agent/tail/position_store.h"
#include "agent/tail/record_index.h"
#include "agent/tail/rotation.h"
#include "agent/tail/scanner.h"
#include "agent/tail/source.h"
#include "agent/tail/tail_source.h"
#include "agent/tail/target_groups.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/watcher.h"
#include "discovery/target.h"

namespace agent {

struct TailerOptions {
  std::chrono::milliseconds sync_period{10'000};  // Of the scan that finds what inotify missed.
  // How often files are looked at where inotify says nothing; doubles from min to max while idle.
  std::chrono::milliseconds min_poll{250};
  std::chrono::milliseconds max_poll{250};
  std::size_t max_open_files = 0;  // 0: DefaultMaxOpenFiles().
  std::size_t max_line_bytes = std::size_t{12} << 20;
  // A file that looks like a copy of another is its own when that one has not been truncated after
  // it.
  std::chrono::milliseconds copy_decision{10'000};
  // A rotated or deleted file is done with when nothing came and all is settled for so long.
  std::chrono::milliseconds rotated_idle{60'000};
};

// One followed file, for pages and metrics.
struct FileStatus {
  std::string path;   // The `filename`.
  std::string place;  // Where it is now; empty when deleted.
  std::string job;
  Labels labels;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t source_id = 0;
  uint32_t generation = 0;
  FileState state = FileState::kReading;
  bool open = false;
  uint64_t read_offset = 0;
  uint64_t settled_offset = 0;  // The smallest of all outputs.
  uint64_t size_bytes = 0;
  uint64_t lag_bytes = 0;  // Written and not read.
  int64_t lag_ns = 0;      // Age of the oldest byte that is not settled; 0: none.
  uint64_t lines = 0;      // Since the start.
  std::string error;       // Empty when all is well.
  std::shared_ptr<const SourceProgress>
      progress;  // Shared with the source; the ledger. May be null.
};

struct TailerCounters {
  uint64_t files_active = 0;   // Being read, rotated ones included.
  uint64_t files_open = 0;     // Descriptors held.
  uint64_t files_rotated = 0;  // Read on after a rotation.
  uint64_t files_deleted = 0;  // Held although they are deleted.
  uint64_t files_refused = 0;  // Of the last scan: outside of their targets' roots.
  uint64_t polled_directories = 0;
  uint64_t watches = 0;
  uint64_t scans = 0;
  uint64_t last_scan_ns = 0;
  // Since the start.
  uint64_t read_bytes = 0;
  uint64_t rotations = 0;
  uint64_t truncations = 0;
  uint64_t lost_bytes = 0;
  uint64_t copies_recovered = 0;
  uint64_t lines_too_long = 0;
  uint64_t bytes_too_long = 0;
  uint64_t read_errors = 0;
};

// Loop thread.
class Tailer {
 public:
  // What it stands on; all outlive the tailer.
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    PositionStore& positions;
    SourceHost& host;
    const CaughtFiles* caught = nullptr;  // May be null.
  };

  // `output_ids` name the outputs in the journal, in the order in which SourceProgress counts them;
  // one at least.
  Tailer(Dependencies dependencies, Random random, std::vector<std::string> output_ids,
         TailerOptions options);
  Tailer(const Tailer&) = delete;
  Tailer& operator=(const Tailer&) = delete;
  ~Tailer();

  // From now on scans, watches and saves positions by itself.
  void Start();

  // Replaces the targets: files of new ones are found soon, files of gone ones are read to where
  // they end now and let go.
  void SetTargets(const std::vector<std::shared_ptr<const Target>>& targets);

  // How files of jobs are read that are not plain; before SetTargets(). What is being read of a
  // job whose way has changed is taken up anew.
  void SetContents(FileContents contents);

  // The host's: a source has said kEnded, or was stopped. Everything it read is with the outputs.
  void OnEnded(const std::shared_ptr<Source>& source);

  // For a reload, and first for a stop. Nothing is scanned and every source is stopped; files stay
  // known and open.
  void Pause();
  // After Pause(), when no worker reads any more. From the next SetTargets() on that wants it, a
  // file is read on in `host` from its settled positions; one that nobody has wanted for a minute
  // is let go.
  void Resume(SourceHost& host, std::vector<std::string> output_ids);

  // Notes what has settled, writes the positions and waits for the disk. Nothing is called after
  // it.
  void Stop();

  // A scan, here and now: blocks. For backfill and for tests.
  void ScanNow();
  // Looks at what has happened to files since the last turn; the loop does it by itself.
  void RunDirty();
  // Decides what only time decides: copies, finished files. A timer does it each second.
  void Housekeep();

  // For backfill: no more files are taken, each is read to its end, a last line without a newline
  // included, and ends.
  void FinishAll();
  // Nothing is being read any more.
  [[nodiscard]] bool AllEnded() const;

  [[nodiscard]] std::vector<FileStatus> Status() const;
  [[nodiscard]] TailerCounters counters() const;
  // Those that are more than a number.
  void CollectMetrics(MetricSink& sink) const { context_->first_reads.Collect(sink); }
  // What positions.yaml says now.
  [[nodiscard]] PositionStore::Offsets Positions() const;

 private:
  // How a file is taken up.
  struct NewFile {
    TargetGroup* group = nullptr;
    std::string path;  // Becomes its `filename`.
    std::string place;
    std::string target;
    FileIdentity identity;
    FileStat info;
    SourceRecord record;  // What is known of it; key.id 0: nothing.
    FollowedFile* predecessor = nullptr;
    uint64_t lineage = 0;  // 0: the predecessor's, or a new one.
    FileState state = FileState::kReading;
    bool compressed = false;
    bool in_glob = false;
    std::shared_ptr<SourceProgress> progress;  // Null: made from the record.
  };

  // --- tailer.cc: sources, positions, time.
  FollowedFile& Follow(NewFile init);
  void MakeSource(FollowedFile& file, FollowedFile* predecessor, UniqueFd fd);
  // Its descriptor, at once: when outputs are behind it may take long until a worker comes to it,
  // and by then it may be rotated, compressed and deleted. Invalid when there are too many open.
  UniqueFd OpenNow(const FollowedFile& file);
  void RemakeSource(FollowedFile& file);
  void HandOverParked();
  void HandOver(uint64_t number, const TargetGroup& group);
  void Unpark();
  void StartSources();
  void MakeProgress(FollowedFile& file, std::vector<uint64_t> starts);
  [[nodiscard]] std::vector<uint64_t> Starts(const SourceRecord& record) const;
  void PutRecord(const FollowedFile& file);
  void NoteSettled(const FollowedFile& file);
  void Wake(FollowedFile& file);
  void WakeLineage(const FollowedFile& file);
  // Of those that are decoded only a few at a time: a decoder takes megabytes.
  void StartArchives();
  void ArchiveEnded(FollowedFile& file, const SourceSnapshot& snapshot);
  void CheckArchive(FollowedFile& file, int64_t now_ns);
  void NoteBacklog(FollowedFile& file, const SourceSnapshot& snapshot);
  void LookAt(FollowedFile& file);

  // --- tailer_watch.cc: when to look.
  void RequestScan();
  void ScheduleScan(std::chrono::milliseconds delay);
  void StartScan();
  void OnModified(const std::string& path);
  // One file in a directory that inotify says nothing about.
  struct Polled {
    uint64_t number = 0;
    std::string place;
    uint64_t size_bytes = 0;
    int64_t modified_ns = 0;
    bool changed = false;
  };
  void StartPolling();
  [[nodiscard]] std::vector<Polled> FilesToPoll() const;
  void PollSilentFiles();
  void ApplyPolled(const std::vector<Polled>& polled);

  // --- tailer.cc again.
  void LeaveFile(FollowedFile& file);
  // Takes it off the table; the journal keeps it for a while.
  void Drop(uint64_t number);
  [[nodiscard]] int64_t NowSeconds() const;

  // --- tailer_prompt.cc: files that may be gone before a scan would find them.
  // Watches for those of the present targets, opens what is there, reads what is no longer awaited.
  void LookForPromptFiles();
  // The folders in which they are waited for.
  void AddPromptDirectories(std::vector<std::string>& directories) const;
  void OnCreated(const std::string& path);
  // Opens the file, if it is there and nobody follows it. True when it is open.
  bool OpenPrompt(const std::string& path);
  // Takes up those that are open and wanted by a group.
  void TakeUpPrompt(const std::vector<std::string>& paths);
  // Gives those that are awaited no longer to the groups whose globs they match, and closes the
  // rest.
  void EndAwaiting();
  void AppendOpen(const std::string& path, uint32_t group, std::vector<ScannedFile>& found) const;
  void TakeUpOpen(std::vector<ScannedFile> found);
  // The descriptor that was opened for the file; invalid when there is none.
  UniqueFd TakePrompt(const FollowedFile& file);

  // --- tailer_scan.cc: what a scan says.
  void ApplyScan(ScanResult result);
  // Those that are not known. They stay the result's.
  std::vector<ScannedFile*> MatchKnown(ScanResult& result);
  void SeenOutside(FollowedFile& file, const FileStat& info);
  void SeenUndecided(FollowedFile& file);
  void SeenFinished(FollowedFile& file);
  void SeenInPlace(FollowedFile& file, const ScannedFile& found);
  void MovedTo(FollowedFile& file, const std::string& place, bool in_glob);
  void CheckUnseen(FollowedFile& file, DirectoryIndex& index);
  void Deleted(FollowedFile& file);
  [[nodiscard]] FollowedFile* Known(const ScannedFile& found);

  // --- tailer_adopt.cc: new files.
  void TakeUp(std::vector<ScannedFile*> unknown, DirectoryIndex& index);
  void AdoptAll(std::vector<ScannedFile*> unknown, DirectoryIndex& index, RecordIndex& records);
  void AdoptSame(std::vector<ScannedFile*>& unknown, DirectoryIndex& index, RecordIndex& records);
  void AdoptNew(const ScannedFile& found, DirectoryIndex& index, RecordIndex& records);
  bool AdoptCopy(const ScannedFile& found);
  // The live file of which that one may be a copy; null: none.
  [[nodiscard]] static bool BeginsLike(const FollowedFile& file, std::string_view head);
  [[nodiscard]] FollowedFile* Original(uint32_t group, const std::string& path, const FileKey& key,
                                       std::string_view head);

  void AdoptRecord(const ScannedFile& found, const SourceRecord& record, DirectoryIndex& index,
                   RecordIndex& records);
  [[nodiscard]] FileToMatch ToMatch(const ScannedFile& found);
  FollowedFile* FindPredecessor(const ScannedFile& found, DirectoryIndex& index,
                                RecordIndex& records, SourceKey& next_key);
  IsUnknown UnknownIn(uint32_t group);
  // Takes up what was at the successor's path after `predecessor` and was rotated away before
  // anybody saw it. Returns the last of them, or else `predecessor`.
  struct Successor {
    std::string path;
    FileKey key;
    HeadHash head;  // What begins like this is a copy of it.
  };
  FollowedFile* FollowBetween(FollowedFile& predecessor, const Successor& successor,
                              DirectoryIndex& index, const RecordIndex& records);
  // The same after a moment; `predecessor` may be null.
  FollowedFile* FollowNewer(TargetGroup& group, FollowedFile* predecessor, const FileBefore& before,
                            const Successor& successor, DirectoryIndex& index,
                            const RecordIndex& records);
  // Where the symbolic link at `path` leads; empty: it is none, or leads out of the group's roots.
  [[nodiscard]] static std::string TargetOf(const TargetGroup& group, const std::string& path);
  std::optional<FoundFile> FindRest(const TargetGroup& group, const SourceRecord& record,
                                    DirectoryIndex& index);
  FollowedFile& FollowRest(TargetGroup& group, const SourceRecord& record, const FoundFile& rest,
                           FollowedFile* predecessor, RecordIndex& records);
  void RecoverGroups(DirectoryIndex& index, RecordIndex& records);
  void Recover(TargetGroup& group, const SourceRecord& record, DirectoryIndex& index,
               RecordIndex& records);
  // What was at a path after a file that is gone from there, and is gone itself.
  void FollowOrphans(DirectoryIndex& index);
  void SkipOnce(const std::string& path, std::string_view why);
  [[nodiscard]] NewFile FromScan(const ScannedFile& found);

  // --- tailer_foreign.cc: offsets that another program has left in positions.yaml.
  // A file at such a path goes on there.
  void ApplyForeign(NewFile& init);
  void SettleAt(NewFile& init, uint64_t offset) const;
  // A container's log goes on at the second that Promtail has noted, if it has come further.
  void ApplyContainerCursor(NewFile& init) const;
  // The other way round: notes the second that each container's log has settled in.
  void NoteContainerCursors();
  // The file that the offset was for has been rotated since: takes it up, and what came between it
  // and the one that is at the path now. Returns the last of them; null: it is that one's.
  FollowedFile* FollowForeign(const ScannedFile& found, DirectoryIndex& index,
                              const RecordIndex& records);
  // Those that were applied, and what the journal knew about their paths, have had their use.
  void TakeForeign(RecordIndex& records);
  // Takes `to_forget_` out of the journal. No RecordIndex may be in use.
  void ForgetLeft();

  // --- tailer_rotation.cc: truncation, copies, ends.
  void CheckWaiting(FollowedFile& file, int64_t now_ns);
  void MarkUnclaimed();
  void ContentChanged(FollowedFile& file, const SourceSnapshot& snapshot);
  // The file was empty when it was looked at last, and has content now: other content may have been
  // in it, copied and truncated, in between.
  void FollowMissedCopies(FollowedFile& file);
  // The copy that goes on with the old content; null: there is none.
  FollowedFile* ContinueInCopy(FollowedFile& file, const SourceKey& old_key,
                               const SourceSnapshot& snapshot, DirectoryIndex& index);
  [[nodiscard]] bool CopiedAndTruncated(const FollowedFile& copy);
  void DecideCopy(FollowedFile& file);
  void CheckFinished(FollowedFile& file, int64_t now_ns);
  [[nodiscard]] static bool Settled(const FollowedFile& file);

  Loop& loop_;
  const Clock& clock_;
  Logger& logger_;
  PositionStore& positions_;
  SourceHost* host_;
  const CaughtFiles* const caught_;
  Random random_;
  std::vector<std::string> output_ids_;
  const TailerOptions options_;
  const std::shared_ptr<SourceContext> context_;  // Sources may live longer than the tailer.
  const std::shared_ptr<DirtyFiles> dirty_;       // So may batches on their way.

  TargetGroups groups_;
  FileTable files_;
  std::unordered_set<uint64_t> attention_;  // Numbers of files for Housekeep().
  std::vector<uint64_t> to_start_;
  std::deque<uint64_t> waiting_archives_;
  std::vector<uint64_t> running_archives_;
  std::vector<SourceKey> to_forget_;
  // Paths, by those that are being taken up.
  std::vector<std::string> foreign_taken_;
  // Jobs with files let go since the last scan: what else of them is there is looked for again.
  std::set<std::string> left_jobs_;
  std::vector<uint64_t> displaced_;                         // By the scan under way.
  std::unordered_map<std::string, UniqueFd> prompt_files_;  // Opened and not taken up yet, by path.
  std::unordered_set<std::string> skipped_;                 // Paths that were logged as skipped.

  Watcher watcher_;
  Timer scan_timer_;
  Timer housekeeping_;
  Timer poll_timer_;
  std::chrono::milliseconds poll_interval_;
  bool running_ = false;
  bool finishing_all_ = false;
  bool scanning_ = false;
  bool scan_again_ = false;
  bool polling_ = false;
  bool rescan_due_ = false;  // The scan timer stands on an early scan.
  uint64_t scan_number_ = 0;
  int64_t scan_begun_ns_ = 0;  // By the wall clock.
  uint64_t targets_version_ = 0;
  int64_t unclaimed_checked_ns_ = 0;
  int64_t resumed_ns_ = 0;
  TailerCounters counters_;
  std::shared_ptr<Tailer*> alive_;  // Background work holds a weak reference.
};

}  // namespace agent
