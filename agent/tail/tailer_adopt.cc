// Taking up new files: which are known from before, what of them was rotated meanwhile, what is a
// copy.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/tailer.h"

namespace agent {
namespace {

constexpr std::size_t kMaxSkippedRemembered = 10'000;

bool IsGzip(std::string_view head) {
  return head.size() >= 2 && head[0] == '\x1f' && head[1] == '\x8b';
}

// The names that `name` can be a rotation of.
std::vector<std::string> PossibleBases(std::string_view name) {
  std::vector<std::string> bases;
  const std::size_t dot = name.rfind('.');
  const std::string_view extension = dot == std::string_view::npos ? "" : name.substr(dot);
  for (std::size_t length = 1; length < name.size(); ++length) {
    std::string stem(name.substr(0, length));
    if (IsRotatedName(stem, name)) bases.push_back(stem);
    if (extension.empty() || length >= dot) continue;
    stem += extension;
    if (IsRotatedName(stem, name)) bases.push_back(std::move(stem));
  }
  return bases;
}

}  // namespace

Tailer::NewFile Tailer::FromScan(const ScannedFile& found) {
  NewFile init;
  init.group = groups_.Find(found.group);
  init.path = found.path;
  init.place = found.path;
  init.target = found.target;
  init.identity = {found.info.key, HashHead(found.head)};
  init.info = found.info;
  init.in_glob = true;
  return init;
}

void Tailer::AdoptAll(std::vector<ScannedFile*> unknown, DirectoryIndex& index,
                      RecordIndex& records) {
  std::erase_if(unknown, [this](const ScannedFile* found) {
    const TargetGroup* const group = groups_.Find(found->group);
    return group == nullptr || !group->wanted;
  });
  // What is surely known from before goes first: nothing else may take it for something new.
  AdoptSame(unknown, index, records);
  // A path that had a file before: what was rotated away in between belongs to it.
  const auto succeeds = [&](const ScannedFile* found) {
    return files_.FindLatest(found->group, found->path) != nullptr ||
           !records.AtPath(ToMatch(*found)).empty();
  };
  // And app.log before app.log.1, which may be its rest.
  const auto order = [&](const ScannedFile* found) {
    return std::make_pair(!succeeds(found), found->path.size());
  };
  std::vector<std::pair<std::pair<bool, std::size_t>, const ScannedFile*>> ordered;
  ordered.reserve(unknown.size());
  for (const ScannedFile* const found : unknown)
    ordered.emplace_back(order(found), found);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [rank, found] : ordered) {
    // An earlier one may have taken it up: several paths of one file, several rotations at once.
    if (files_.FindByIdentity(found->group, found->info.key) == nullptr) {
      AdoptNew(*found, index, records);
    }
  }
  TakeForeign(records);
}

FileToMatch Tailer::ToMatch(const ScannedFile& found) {
  const TargetGroup& group = *groups_.Find(found.group);
  // The size of a compressed file says nothing about how much is in it.
  const bool decoded = group.content.compression != Compression::kNone;
  return {found.path, found.info.key,   decoded ? UINT64_MAX : found.info.size_bytes,
          found.head, group.record_job, group.labels_hash};
}

void Tailer::AdoptSame(std::vector<ScannedFile*>& unknown, DirectoryIndex& index,
                       RecordIndex& records) {
  std::vector<std::pair<const ScannedFile*, const SourceRecord*>> same;
  std::erase_if(unknown, [&](const ScannedFile* found) {
    const SourceRecord* const record = records.SameFile(ToMatch(*found));
    if (record == nullptr) return false;
    records.Claim(record->key);
    same.emplace_back(found, record);
    return true;
  });
  // Rotated ones first, the oldest before all: what came after them at their path waits for them.
  const auto order = [](const auto& pair) {
    return std::make_pair(pair.second->path == pair.first->path, pair.first->info.modified_ns);
  };
  std::stable_sort(same.begin(), same.end(),
                   [&order](const auto& a, const auto& b) { return order(a) < order(b); });
  for (const auto& [found, record] : same)
    AdoptRecord(*found, *record, index, records);
}

void Tailer::AdoptRecord(const ScannedFile& found, const SourceRecord& record,
                         DirectoryIndex& index, RecordIndex& records) {
  records.Claim(record.key);
  NewFile init = FromScan(found);
  init.record = record;
  // It cannot be read now: its reader sees whether it is the same when it can.
  if (found.head.empty()) init.identity.head = record.identity.head;
  init.path = record.path;
  if (init.group->content.compression != Compression::kNone) {
    if (record.path != found.path) init.state = FileState::kRotated;
  } else if (record.path != found.path) {
    init.state = FileState::kRotated;
    init.predecessor = files_.FindLatest(found.group, record.path);
  } else {
    SourceKey ignored;
    init.predecessor = FindPredecessor(found, index, records, ignored);
    if (record.identity.head.length == 0 && record.modified_ns > 0) {
      // It was empty. It may have been written, copied and emptied again since.
      init.predecessor =
          FollowNewer(*init.group, init.predecessor, {record.modified_ns, record.modified_ns},
                      {found.path, found.info.key, HashHead(found.head)}, index, records);
    }
  }
  ApplyForeign(init);
  Follow(std::move(init));
}

void Tailer::AdoptNew(const ScannedFile& found, DirectoryIndex& index, RecordIndex& records) {
  const bool decoded = groups_.Find(found.group)->content.compression != Compression::kNone;
  if (!decoded && IsGzip(found.head) && IsCompressedName(found.path)) {
    SkipOnce(found.path, "compressed file skipped: its lines were read before it was compressed");
    return;
  }
  const TargetGroup& group = *groups_.Find(found.group);
  for (const FollowedFile* const other : files_.FindByIdentity(found.info.key)) {
    // Its labels have changed. When the old reader is done, the new one goes on where it stopped.
    if (other->job == group.job && other->state == FileState::kLeaving) return;
  }
  const FileToMatch match = ToMatch(found);
  if (const SourceRecord* const record = records.MovedFile(match)) {
    AdoptRecord(found, *record, index, records);
    return;
  }
  if (decoded) {
    NewFile archive = FromScan(found);
    ApplyForeign(archive);
    Follow(std::move(archive));
    return;
  }
  if (AdoptCopy(found)) return;
  NewFile init = FromScan(found);
  FollowedFile* predecessor = FindPredecessor(found, index, records, init.record.key);
  if (predecessor != nullptr) {
    init.predecessor = FollowBetween(
        *predecessor, {found.path, found.info.key, HashHead(found.head)}, index, records);
  }
  if (const SourceRecord* const other = records.OfAnyJob(match)) {
    // As in Promtail, where a position belongs to the path: a new job goes on where another one is.
    init.record.settled = {{"", other->MinSettled()}};
  }
  if (FollowedFile* const rest = FollowForeign(found, index, records)) {
    init.predecessor = rest;
  } else {
    ApplyForeign(init);
  }
  Follow(std::move(init));
}

IsUnknown Tailer::UnknownIn(uint32_t group) {
  return [this, group](const FileKey& key) { return files_.FindByIdentity(group, key) == nullptr; };
}

FollowedFile* Tailer::FindPredecessor(const ScannedFile& found, DirectoryIndex& index,
                                      RecordIndex& records, SourceKey& next_key) {
  FollowedFile* predecessor = files_.FindLatest(found.group, found.path);
  for (const uint64_t number : displaced_) {
    // A copy of it may have been taken up after it: it was at the path for longer.
    FollowedFile* const displaced = files_.Find(number);
    if (displaced != nullptr && displaced->group == found.group && displaced->path == found.path) {
      predecessor = displaced;
    }
  }
  if (predecessor != nullptr && predecessor->state == FileState::kUndecided) predecessor = nullptr;
  TargetGroup& group = *groups_.Find(found.group);
  // It was rotated, truncated or replaced while nobody looked. Where another program's position
  // stands, that program has seen to it.
  const bool foreign = positions_.Foreign(found.path).has_value();
  std::vector<std::pair<FoundFile, const SourceRecord*>> rests;
  for (const SourceRecord* const record : records.AtPath(ToMatch(found))) {
    if (record->identity.key == found.info.key) {
      next_key = {record->key.id, record->key.generation + 1};
    }
    auto rest = foreign ? std::nullopt : FindRest(group, *record, index);
    if (rest) {
      rests.emplace_back(std::move(*rest), record);
    } else if (record->place == found.path) {
      records.Claim(record->key);
      to_forget_.push_back(record->key);
      logger_.Info("tail", "another file is at this path now: it is read from its beginning",
                   {{"path", found.path}, {"position_before", record->MinSettled()}});
    }
  }
  std::stable_sort(rests.begin(), rests.end(), [](const auto& a, const auto& b) {
    return a.first.info.modified_ns < b.first.info.modified_ns;
  });
  for (const auto& [rest, record] : rests) {
    // Two records may fit one file.
    if (files_.FindByIdentity(group.id, rest.info.key) != nullptr) continue;
    predecessor = &FollowRest(group, *record, rest, predecessor, records);
  }
  return predecessor;
}

FollowedFile* Tailer::FollowBetween(FollowedFile& predecessor, const Successor& successor,
                                    DirectoryIndex& index, const RecordIndex& records) {
  int64_t modified_ns = predecessor.modified_ns;
  if (!predecessor.place.empty() && !predecessor.compressed) {
    const Result<FileStat> info = StatPath(predecessor.place);
    if (info.ok() && info->key == predecessor.identity.key) modified_ns = info->modified_ns;
  }
  TargetGroup* const group = groups_.Find(predecessor.group);
  if (group == nullptr) return &predecessor;
  return FollowNewer(*group, &predecessor, {modified_ns, predecessor.at_path_ns}, successor, index,
                     records);
}

FollowedFile* Tailer::FollowNewer(TargetGroup& group, FollowedFile* predecessor,
                                  const FileBefore& before, const Successor& successor,
                                  DirectoryIndex& index, const RecordIndex& records) {
  std::vector<HeadHash> heads = records.HeadsAt(successor.path);
  if (predecessor != nullptr) heads.push_back(predecessor->identity.head);
  heads.push_back(successor.head);
  const auto unknown = [this, &group, &successor](const FileKey& key) {
    if (key == successor.key) return false;
    // Another job's file with a name like this is no rotation of ours.
    const std::vector<FollowedFile*> readers = files_.FindByIdentity(key);
    return std::all_of(readers.begin(), readers.end(), [&](const FollowedFile* reader) {
      return reader->group != group.id && reader->path == successor.path;
    });
  };
  // A copy of it may be under way: each begins as the other, however short.
  const std::string live = ReadHeadAt(successor.path);
  FollowedFile* latest = predecessor;
  for (const FoundFile& between : FindBetween(
           index, successor.path, TargetOf(group, successor.path), heads, before, unknown)) {
    if (files_.FindByIdentity(group.id, between.info.key) != nullptr) continue;  // Two names of it.
    if (live.starts_with(between.head) || (!live.empty() && between.head.starts_with(live)))
      continue;
    NewFile init;
    init.group = &group;
    init.path = successor.path;
    init.place = between.path;
    init.identity = {between.info.key, HashHead(between.head)};
    init.info = between.info;
    init.predecessor = latest;
    init.state = FileState::kRotated;
    init.compressed = between.compressed;
    init.in_glob = group.Wants(between.path);
    logger_.Info("tail", "a file came and was rotated away between two looks: it is read",
                 {{"path", successor.path}, {"now_at", between.path}});
    latest = &Follow(std::move(init));
    ++counters_.rotations;
  }
  return latest;
}

std::string Tailer::TargetOf(const TargetGroup& group, const std::string& path) {
  std::string target = LinkTarget(path);
  const bool outside =
      std::any_of(group.patterns.begin(), group.patterns.end(), [&target](const auto& pattern) {
        return !pattern->roots.empty() && !IsBelowAny(target, pattern->roots);
      });
  return outside ? std::string() : target;
}

std::optional<FoundFile> Tailer::FindRest(const TargetGroup& group, const SourceRecord& record,
                                          DirectoryIndex& index) {
  uint64_t most = 0;
  for (const auto& [output, offset] : record.settled)
    most = std::max(most, offset);
  return FindRotated(
      index, {record.path, record.place, record.identity, most, TargetOf(group, record.place)},
      UnknownIn(group.id));
}

FollowedFile& Tailer::FollowRest(TargetGroup& group, const SourceRecord& record,
                                 const FoundFile& rest, FollowedFile* predecessor,
                                 RecordIndex& records) {
  records.Claim(record.key);
  NewFile init;
  init.group = &group;
  init.path = record.path;
  init.place = rest.path;
  init.identity = {rest.info.key, rest.compressed ? record.identity.head : HashHead(rest.head)};
  init.info = rest.info;
  // Compressed late, by the rotation after its own: what came in between is older than that.
  if (rest.compressed && record.modified_ns > 0) init.info.modified_ns = record.modified_ns;
  init.record = record;
  init.predecessor = predecessor;
  init.state = FileState::kRotated;
  init.compressed = rest.compressed;
  init.in_glob = group.Wants(rest.path);
  logger_.Info("tail", "a file was rotated meanwhile: it is read to its end",
               {{"path", record.path}, {"now_at", rest.path}, {"offset", record.MinSettled()}});
  return Follow(std::move(init));
}

void Tailer::RecoverGroups(DirectoryIndex& index, RecordIndex& records) {
  std::set<std::pair<std::string_view, uint64_t>> wanted;
  for (const auto& [id, group] : groups_.all()) {
    if (group.wanted) wanted.emplace(group.job, group.labels_hash);
  }
  std::map<std::string_view, ByPath<const SourceRecord*>> jobs;
  for (auto& [id, group] : groups_.all()) {
    if (!group.wanted || group.scanned) continue;
    if (group.content.compression != Compression::kNone) continue;  // Each is a file of its own.
    const auto [at, fresh] = jobs.try_emplace(group.job);
    if (fresh) {
      for (const SourceRecord* const record : records.OfJob(group.job))
        at->second.Add(record->path, record);
    }
    for (const SourceRecord* const record : at->second.WantedBy(group)) {
      const bool of_another = record->labels_hash != group.labels_hash &&
                              wanted.contains({group.job, record->labels_hash});
      if (!of_another && records.Free(*record)) Recover(group, *record, index, records);
    }
  }
}

void Tailer::Recover(TargetGroup& group, const SourceRecord& record, DirectoryIndex& index,
                     RecordIndex& records) {
  if (positions_.Foreign(record.path)) return;
  const Result<FileStat> info = StatPath(record.place);
  const bool nothing_new =
      info.ok() && info->key == record.identity.key && info->size_bytes == record.MinSettled();
  if (nothing_new) return;
  const auto rest = FindRest(group, record, index);
  if (!rest || files_.FindByIdentity(group.id, rest->info.key) != nullptr) return;
  FollowedFile* predecessor = files_.FindLatest(group.id, record.path);
  // What stands at the path is read already and has no end to wait for.
  if (predecessor != nullptr && predecessor->state == FileState::kReading) predecessor = nullptr;
  displaced_.push_back(FollowRest(group, record, *rest, predecessor, records).number);
}

// --- Copies.

bool Tailer::BeginsLike(const FollowedFile& file, std::string_view head) {
  const HeadHash& known = file.identity.head;
  if (known.length > 0 && head.size() >= known.length) return BeginsWith(head, known);
  // A copy that is being made, or one of what was not read yet: each begins as the other.
  const std::string live = ReadHeadAt(file.place);
  return !live.empty() && (live.starts_with(head) || head.starts_with(live));
}

FollowedFile* Tailer::Original(uint32_t group, const std::string& path, const FileKey& key,
                               std::string_view head) {
  const std::string directory(DirName(path));
  const std::string prefix = directory == "/" ? "/" : directory + '/';
  for (const std::string& base : PossibleBases(BaseName(path))) {
    for (FollowedFile* const file : files_.FindByPath(group, prefix + base)) {
      if (file->source == nullptr || file->compressed || file->place.empty()) continue;
      if (file->identity.key != key && BeginsLike(*file, head)) return file;
    }
  }
  return nullptr;
}

bool Tailer::AdoptCopy(const ScannedFile& found) {
  const FollowedFile* const original =
      Original(found.group, found.path, found.info.key, found.head);
  if (original == nullptr) return false;
  NewFile init = FromScan(found);
  init.state = FileState::kUndecided;
  FollowedFile& copy = Follow(std::move(init));
  copy.copy_of = original->number;
  return true;
}

void Tailer::SkipOnce(const std::string& path, std::string_view why) {
  if (skipped_.size() >= kMaxSkippedRemembered) skipped_.clear();
  if (skipped_.insert(path).second) logger_.Info("tail", why, {{"path", path}});
}

}  // namespace agent
