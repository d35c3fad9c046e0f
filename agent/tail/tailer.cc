#include "agent/tail/tailer.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "agent/tail/decoded_source.h"
#include "agent/tail/file_source.h"
#include "agent/tail/glob.h"
#include "base/background.h"
#include "base/check.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHousekeeping{1000};
constexpr std::size_t kMaxOpenArchives = 256;  // Held open although they are not read yet.

}  // namespace

Tailer::Tailer(Dependencies dependencies, Random random, std::vector<std::string> output_ids,
               TailerOptions options)
    : loop_(dependencies.loop),
      clock_(dependencies.clock),
      logger_(dependencies.logger),
      positions_(dependencies.positions),
      host_(&dependencies.host),
      caught_(dependencies.caught),
      random_(random),
      output_ids_(std::move(output_ids)),
      options_(options),
      context_(std::make_shared<SourceContext>(
          logger_, options.max_open_files > 0 ? options.max_open_files : DefaultMaxOpenFiles(),
          options.max_line_bytes)),
      dirty_(std::make_shared<DirtyFiles>(loop_, [this] { RunDirty(); })),
      watcher_(loop_, logger_, "tail",
               {[this](const std::string& path) { OnModified(path); }, [this] { RequestScan(); },
                [this](const std::string& path) { OnCreated(path); }}),
      scan_timer_(loop_),
      housekeeping_(loop_),
      poll_timer_(loop_),
      poll_interval_(options.min_poll),
      alive_(std::make_shared<Tailer*>(this)) {
  CHECK(!output_ids_.empty());
}

Tailer::~Tailer() {
  dirty_->Close();
}

void Tailer::Start() {
  running_ = true;
  positions_.Start(loop_, [this] {
    NoteContainerCursors();
    return Positions();
  });
  housekeeping_.StartRepeating(kHousekeeping, [this] { Housekeep(); });
  ScheduleScan(milliseconds(0));
}

void Tailer::SetTargets(const std::vector<std::shared_ptr<const Target>>& targets) {
  ++targets_version_;
  groups_.Set(targets, logger_);
  for (const uint64_t number : files_.Numbers()) {
    FollowedFile* const file = files_.Find(number);
    const TargetGroup* const group = groups_.Find(file->group);
    if (group == nullptr || !group->wanted) LeaveFile(*file);
  }
  HandOverParked();
  Unpark();
  groups_.Prune([in_use = files_.Groups()](uint32_t id) { return in_use.contains(id); });
  LookForPromptFiles();
  if (running_) ScheduleScan(milliseconds(0));
}

// After a reload that has changed a job's labels: what the old reader knew becomes the new one's,
// so that there is one record of the file in the job, and it is the latest.
void Tailer::HandOverParked() {
  std::map<std::string, ByPath<uint64_t>> jobs;
  for (const auto& [number, file] : files_.all()) {
    const TargetGroup* const old_group = groups_.Find(file->group);
    const bool wanted = old_group != nullptr && old_group->wanted;
    if (file->parked && !wanted) jobs[file->job].Add(file->path, number);
  }
  for (const auto& [id, group] : groups_.all()) {
    const auto job = jobs.find(group.job);
    if (!group.wanted || job == jobs.end()) continue;
    for (const uint64_t number : job->second.WantedBy(group))
      HandOver(number, group);
  }
}

void Tailer::HandOver(uint64_t number, const TargetGroup& group) {
  FollowedFile* const file = files_.Find(number);
  if (file == nullptr) return;
  if (const TargetGroup* const has_it = groups_.Find(file->group)) {
    if (has_it->wanted) return;  // An earlier group took it.
  }
  const bool known = files_.FindByIdentity(group.id, file->identity.key) != nullptr;
  if (file->place == file->path || known) return Drop(number);  // The scan finds it.
  // No scan would find what was rotated or deleted, and it may be open here alone.
  file->group = group.id;
  file->labels = group.labels;
  file->streams = group.streams;
  if (!file->streams) file->labels.Set("filename", file->path);
  file->labels_hash = group.labels_hash;
  file->state = file->place.empty() ? FileState::kDeleted : FileState::kRotated;
}

void Tailer::LeaveFile(FollowedFile& file) {
  if (file.state == FileState::kLeaving || file.parked) return;
  file.state = FileState::kLeaving;
  attention_.insert(file.number);
  if (file.source == nullptr) return;
  file.source->FinishAtCurrentEnd();
  Wake(file);
}

void Tailer::OnEnded(const std::shared_ptr<Source>& source) {
  FollowedFile* const file = files_.FindBySource(source.get());
  if (file == nullptr) return;
  // Stopped by Pause(): it goes on in Resume().
  SourceSnapshot snapshot = file->source->Snapshot();
  if (!snapshot.ended) return;
  files_.SetSource(*file, nullptr);
  NoteSettled(*file);
  WakeLineage(*file);
  if (file->state != FileState::kLeaving) file->state = FileState::kFinished;
  file->error = std::move(snapshot.error);
  file->incomplete = snapshot.incomplete;
  attention_.insert(file->number);
  if (file->compression != Compression::kNone) ArchiveEnded(*file, snapshot);
  positions_.Commit();
}

void Tailer::Pause() {
  running_ = false;
  waiting_archives_.clear();
  running_archives_.clear();
  scan_timer_.Stop();
  poll_timer_.Stop();
  for (const uint64_t number : files_.Numbers()) {
    const FollowedFile& file = *files_.Find(number);
    if (file.source != nullptr) host_->Stop(file.source);
  }
}

void Tailer::Resume(SourceHost& host, std::vector<std::string> output_ids) {
  RunDirty();
  for (const auto& [number, file] : files_.all())
    NoteSettled(*file);
  host_ = &host;
  output_ids_ = std::move(output_ids);
  CHECK(!output_ids_.empty());
  resumed_ns_ = clock_.MonotonicNanos();
  for (const auto& [number, file] : files_.all()) {
    // What a source that has ended had on its way was given up with the old outputs: read again.
    file->parked = file->source != nullptr || !Settled(*file);
    if (file->parked) attention_.insert(number);
    if (!file->parked) PutRecord(*file);
  }
  running_ = true;
  housekeeping_.StartRepeating(kHousekeeping, [this] { Housekeep(); });
  ScheduleScan(milliseconds(0));
}

void Tailer::Unpark() {
  // Rotated files first: their successors wait for the new sources, not for the old ones.
  for (const bool rotated : {true, false}) {
    for (const uint64_t number : files_.Numbers()) {
      FollowedFile& file = *files_.Find(number);
      const TargetGroup* const group = groups_.Find(file.group);
      if (!file.parked || group == nullptr || !group->wanted) continue;
      if ((file.state != FileState::kReading) == rotated) RemakeSource(file);
    }
  }
  StartSources();
}

void Tailer::RemakeSource(FollowedFile& file) {
  // A deleted file is forgotten after a day, also while its writer still has it open.
  if (!positions_.state().sources.contains(file.key)) PutRecord(file);
  file.parked = false;
  if (file.compression != groups_.Find(file.group)->content.compression) {
    // Its offsets mean something else now.
    attention_.erase(file.number);
    files_.Remove(file.number);
    return;
  }
  if (file.state == FileState::kFinished) {
    const bool in_place = file.place == file.path;
    file.state = in_place ? FileState::kReading : FileState::kRotated;
    if (file.place.empty()) file.state = FileState::kDeleted;
  }
  UniqueFd fd = file.source != nullptr ? file.source->DuplicateFd() : UniqueFd();
  MakeProgress(file, Starts(positions_.state().sources.at(file.key)));
  FollowedFile* const predecessor = files_.Find(file.predecessor);
  MakeSource(file, predecessor, std::move(fd));
  PutRecord(file);
}

void Tailer::Stop() {
  running_ = false;
  scan_timer_.Stop();
  poll_timer_.Stop();
  housekeeping_.Stop();
  RunDirty();
  for (const auto& [number, file] : files_.all())
    NoteSettled(*file);
  positions_.Stop();
  dirty_->Close();
  alive_.reset();
}

// --- Sources.

std::vector<uint64_t> Tailer::Starts(const SourceRecord& record) const {
  std::vector<uint64_t> starts;
  for (const std::string& id : output_ids_) {
    const auto at = std::find_if(record.settled.begin(), record.settled.end(),
                                 [&id](const auto& output) { return output.first == id; });
    // An output that is new starts where the slowest one is.
    starts.push_back(at != record.settled.end() ? at->second : record.MinSettled());
  }
  return starts;
}

void Tailer::MakeProgress(FollowedFile& file, std::vector<uint64_t> starts) {
  file.owner = std::make_shared<std::atomic<uint64_t>>(file.number);
  file.progress = std::make_shared<SourceProgress>(
      file.job, std::move(starts),
      [dirty = dirty_, owner = file.owner] { dirty->Mark(owner->load()); },
      SourceIdentity{file.path, file.key.id, file.key.generation});
}

FollowedFile& Tailer::Follow(NewFile init) {
  FollowedFile file;
  file.key = init.record.key;
  if (file.key.id == 0) file.key.id = random_.Next() | 1U;
  file.group = init.group->id;
  file.job = init.group->job;
  file.labels = init.group->labels;
  file.streams = init.group->streams;
  if (!file.streams) file.labels.Set("filename", init.path);
  file.labels_hash = init.group->labels_hash;
  file.path = std::move(init.path);
  file.place = std::move(init.place);
  file.target = std::move(init.target);
  file.identity = init.identity;
  file.lineage = init.lineage;
  if (init.predecessor != nullptr) file.lineage = init.predecessor->lineage;
  if (file.lineage == 0) file.lineage = random_.Next() | 1U;
  file.state = init.state;
  file.compressed = init.compressed;
  file.compression = init.group->content.compression;
  file.in_glob = init.in_glob;
  file.size_bytes = init.info.size_bytes;
  file.modified_ns = init.info.modified_ns;
  file.seen_in_scan = scan_number_;
  if (init.state == FileState::kReading) file.at_path_ns = scan_begun_ns_;
  file.event_in_scan = scan_number_;
  file.grown_ns = clock_.MonotonicNanos();
  FollowedFile& added = files_.Add(std::move(file));
  if (added.state != FileState::kReading) attention_.insert(added.number);
  if (added.state == FileState::kUndecided) return added;
  if (init.progress != nullptr) {
    added.progress = std::move(init.progress);
  } else {
    MakeProgress(added, Starts(init.record));
  }
  MakeSource(added, init.predecessor, UniqueFd());
  PutRecord(added);
  return added;
}

void Tailer::MakeSource(FollowedFile& file, FollowedFile* predecessor, UniqueFd fd) {
  TailSourceInit init;
  init.place = file.place;
  init.name = file.path;
  init.job = file.job;
  init.labels = file.labels;
  init.streams = file.streams;
  init.lineage = file.lineage;
  init.identity = file.identity;
  init.progress = file.progress;
  if (predecessor != nullptr) {
    init.predecessor = predecessor->source;
    file.predecessor = predecessor->number;
  }
  init.fd = fd.valid() ? std::move(fd) : OpenNow(file);
  init.changed = [dirty = dirty_, number = file.number] { dirty->Mark(number); };
  const TargetGroup* const group = groups_.Find(file.group);
  const bool begins = file.progress->processed_end() == 0 && group != nullptr;
  if (group != nullptr) init.encoding = group->content.encoding;
  file.start_ns = begins ? clock_.MonotonicNanos() + group->content.initial_delay.count() : 0;
  file.error.clear();
  file.incomplete = false;
  file.tried_size = file.size_bytes;
  file.tried_ns = file.modified_ns;
  file.content_changes = 0;
  file.grown_offset = file.progress->processed_end();
  file.finishing = false;
  std::shared_ptr<TailSource> source;
  if (file.compression != Compression::kNone) {
    source = std::make_shared<DecodedSource>(context_, std::move(init), file.compression,
                                             DecodedSource::Use::kJob);
  } else if (file.compressed) {
    source = std::make_shared<DecodedSource>(context_, std::move(init), Compression::kGzip,
                                             DecodedSource::Use::kRest);
  } else {
    source = std::make_shared<FileSource>(context_, std::move(init));
  }
  if (file.state != FileState::kReading) source->SetRotated();
  if (file.state == FileState::kLeaving) source->FinishAtCurrentEnd();
  files_.SetSource(file, std::move(source));
  to_start_.push_back(file.number);
  NoteBacklog(file, file.source->Snapshot());
}

UniqueFd Tailer::OpenNow(const FollowedFile& file) {
  UniqueFd prompt = TakePrompt(file);
  if (prompt.valid()) return prompt;
  if (file.compressed || file.place.empty() || !context_->open_files.has_room()) return {};
  if (file.compression != Compression::kNone && waiting_archives_.size() >= kMaxOpenArchives) {
    return {};
  }
  UniqueFd fd = OpenForReading(file.place);
  if (!fd.valid()) return {};  // The source will say why.
  const Result<FileStat> info = StatFile(fd.get());
  return info.ok() && info->key == file.identity.key ? std::move(fd) : UniqueFd();
}

void Tailer::StartSources() {
  // Who they are is on disk before their first entry is on its way.
  positions_.Commit();
  for (const uint64_t number : std::exchange(to_start_, {})) {
    FollowedFile* const file = files_.Find(number);
    if (file == nullptr || file->source == nullptr) continue;
    if (file->compression == Compression::kNone) {
      host_->Start(file->source);
    } else {
      waiting_archives_.push_back(number);
    }
  }
  StartArchives();
}

void Tailer::Wake(FollowedFile& file) {
  if (file.source != nullptr && running_ && !file.parked) host_->Wake(file.source);
}

void Tailer::WakeLineage(const FollowedFile& file) {
  for (FollowedFile* const other : files_.FindByLineage(file.lineage)) {
    if (other->number != file.number) Wake(*other);
  }
}

void Tailer::RunDirty() {
  for (const uint64_t number : dirty_->Take()) {
    FollowedFile* const file = files_.Find(number);
    if (file != nullptr) LookAt(*file);
  }
  StartSources();
}

void Tailer::NoteBacklog(FollowedFile& file, const SourceSnapshot& snapshot) {
  if (file.progress == nullptr || snapshot.needs_restart) return;
  const bool decoded = file.compression != Compression::kNone;
  const uint64_t size =
      decoded ? snapshot.size_bytes : std::max(file.size_bytes, snapshot.size_bytes);
  // A line without its end waits for the writer, not for us.
  file.backlog.Note(file.progress->min_settled(), size - std::min(size, snapshot.partial_bytes),
                    clock_.MonotonicNanos());
}

void Tailer::LookAt(FollowedFile& file) {
  if (file.parked) return;
  if (file.source == nullptr) {
    NoteSettled(file);
    return;
  }
  const SourceSnapshot snapshot = file.source->Snapshot();
  NoteBacklog(file, snapshot);
  if (snapshot.needs_restart) {
    if (running_ && snapshot.content_changes != file.content_changes)
      ContentChanged(file, snapshot);
    return;
  }
  if (snapshot.identity.head != file.identity.head) {
    if (file.identity.head.length == 0 && file.compression == Compression::kNone) {
      file.identity.head = snapshot.identity.head;
      FollowMissedCopies(file);
    }
    file.identity.head = snapshot.identity.head;
    PutRecord(file);
  } else {
    NoteSettled(file);
  }
  if (snapshot.missing && !snapshot.ended) RequestScan();
  if (!snapshot.error.empty()) attention_.insert(file.number);
  if (file.source->drained() && !snapshot.ended && file.state != FileState::kReading) {
    WakeLineage(file);
  }
}

void Tailer::PutRecord(const FollowedFile& file) {
  if (file.progress == nullptr) return;  // Undecided: it has no progress yet.
  SourceRecord record;
  record.key = file.key;
  record.identity = file.identity;
  record.path = file.path;
  record.place = file.place.empty() ? file.path : file.place;
  record.job = RecordJob(file.job, file.compression);
  record.labels_hash = file.labels_hash;
  record.modified_ns = file.modified_ns;
  const auto known = positions_.state().sources.find(file.key);
  for (std::size_t i = 0; i < output_ids_.size(); ++i) {
    // Between a reload's two halves the progress still counts the outputs of before.
    const bool same = !file.parked && file.progress->outputs() == output_ids_.size();
    const uint64_t settled = same ? file.progress->settled(i) : file.progress->min_settled();
    record.settled.emplace_back(output_ids_[i], settled);
  }
  if (file.parked && known != positions_.state().sources.end()) {
    record.settled = known->second.settled;
  }
  if (file.state == FileState::kDeleted) {
    const bool noted = known != positions_.state().sources.end() && known->second.gone_since_s != 0;
    record.gone_since_s = noted ? known->second.gone_since_s : NowSeconds();
  }
  positions_.Put(std::move(record));
}

void Tailer::NoteSettled(const FollowedFile& file) {
  const auto record = positions_.state().sources.find(file.key);
  if (file.progress == nullptr || record == positions_.state().sources.end()) return;
  if (file.progress->outputs() != record->second.settled.size()) return;
  std::vector<uint64_t> offsets;
  for (std::size_t i = 0; i < file.progress->outputs(); ++i)
    offsets.push_back(file.progress->settled(i));
  positions_.SetSettled(file.key, offsets);
}

void Tailer::Drop(uint64_t number) {
  FollowedFile* const file = files_.Find(number);
  if (file == nullptr) return;
  const auto known = positions_.state().sources.find(file->key);
  if (known != positions_.state().sources.end() && file->state != FileState::kLeaving &&
      known->second.gone_since_s == 0) {
    SourceRecord record = known->second;
    record.gone_since_s = NowSeconds();
    positions_.Put(std::move(record));
  }
  attention_.erase(number);
  const bool leaving = file->state == FileState::kLeaving;
  if (leaving) left_jobs_.insert(file->job);
  files_.Remove(number);
  if (leaving) RequestScan();  // Another target may have waited for it.
}

int64_t Tailer::NowSeconds() const {
  return clock_.WallNanos() / kNanosPerSecond;
}

// --- Backfill.

void Tailer::FinishAll() {
  finishing_all_ = true;
  scan_timer_.Stop();
  for (const uint64_t number : files_.Numbers()) {
    FollowedFile& file = *files_.Find(number);
    if (file.state == FileState::kUndecided) DecideCopy(file);
  }
  StartSources();
  for (const uint64_t number : files_.Numbers()) {
    FollowedFile& file = *files_.Find(number);
    if (file.source == nullptr) continue;
    file.finishing = true;
    file.source->Finish();
    Wake(file);
  }
}

bool Tailer::AllEnded() const {
  return std::all_of(files_.all().begin(), files_.all().end(),
                     [](const auto& pair) { return pair.second->source == nullptr; });
}

}  // namespace agent
