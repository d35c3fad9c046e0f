#include "agent/tail/file_tree.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <numeric>

#include "agent/tail/glob.h"

namespace agent {
namespace {

constexpr std::string_view kMeta = "*?[]\\";
constexpr std::size_t kFewNames = 16;
constexpr std::size_t kMaxKeptNames = 500'000;
// More than any directory of logs has: reading one takes a second.
constexpr std::size_t kMaxNames = 2'000'000;

bool LessFromEnd(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

std::vector<Listing::Entry> ReadDirectory(const std::string& directory) {
  std::vector<Listing::Entry> entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (dir == nullptr) return entries;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a DIR of our own; glibc's readdir is safe then.
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = &entry->d_name[0];
    if (name == "." || name == "..") continue;
    if (entries.size() == kMaxNames) break;
    Listing::Entry& added = entries.emplace_back();
    added.name = name;
    if (entry->d_type == DT_DIR) {
      added.kind = FileKind::kDirectory;
    } else if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) {
      added.kind = FileKind::kOther;
    }
  }
  return entries;
}

}  // namespace

const std::vector<uint32_t>& Listing::Candidates(std::string_view pattern) {
  selected_.clear();
  if (entries_.size() > kFewNames) {
    const std::size_t first = std::min(pattern.find_first_of(kMeta), pattern.size());
    const std::size_t last = pattern.find_last_of(kMeta);
    const std::string_view suffix =
        last == std::string_view::npos ? pattern : pattern.substr(last + 1);
    if (first > 0 && first >= suffix.size()) {
      SelectByBeginning(pattern.substr(0, first));
      return selected_;
    }
    if (!suffix.empty()) {
      SelectByEnd(suffix);
      return selected_;
    }
  }
  selected_.resize(entries_.size());
  std::iota(selected_.begin(), selected_.end(), 0U);
  return selected_;
}

void Listing::SelectByBeginning(std::string_view prefix) {
  if (by_name_.empty()) {
    by_name_.resize(entries_.size());
    std::iota(by_name_.begin(), by_name_.end(), 0U);
    std::sort(by_name_.begin(), by_name_.end(),
              [this](uint32_t a, uint32_t b) { return entries_[a].name < entries_[b].name; });
  }
  auto at = std::lower_bound(
      by_name_.begin(), by_name_.end(), prefix,
      [this](uint32_t index, std::string_view text) { return entries_[index].name < text; });
  for (; at != by_name_.end() && entries_[*at].name.starts_with(prefix); ++at)
    selected_.push_back(*at);
}

void Listing::SelectByEnd(std::string_view suffix) {
  if (by_end_.empty()) {
    by_end_.resize(entries_.size());
    std::iota(by_end_.begin(), by_end_.end(), 0U);
    std::sort(by_end_.begin(), by_end_.end(), [this](uint32_t a, uint32_t b) {
      return LessFromEnd(entries_[a].name, entries_[b].name);
    });
  }
  auto at = std::lower_bound(by_end_.begin(), by_end_.end(), suffix,
                             [this](uint32_t index, std::string_view text) {
                               return LessFromEnd(entries_[index].name, text);
                             });
  for (; at != by_end_.end() && entries_[*at].name.ends_with(suffix); ++at)
    selected_.push_back(*at);
}

// --- The file system.

FileKind DiskTree::KindOf(const std::string& path) {
  const auto known = is_directory_.find(path);
  if (known != is_directory_.end()) return FileKind::kDirectory;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return FileKind::kNone;
  if (!S_ISDIR(info.st_mode)) return FileKind::kOther;
  // Every pattern passes by the same few directories.
  if (is_directory_.size() < kMaxKeptNames) is_directory_.emplace(path, true);
  return FileKind::kDirectory;
}

std::optional<std::pair<dev_t, ino_t>> DiskTree::Identity(const std::string& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return std::nullopt;
  return std::make_pair(info.st_dev, info.st_ino);
}

Listing& DiskTree::List(const std::string& directory) {
  const auto known = listings_.find(directory);
  if (known != listings_.end()) return *known->second;
  auto listing = std::make_unique<Listing>(ReadDirectory(directory));
  names_ += listing->entries().size() + 1;
  if (names_ > kMaxKeptNames) {
    not_kept_ = std::move(listing);
    return *not_kept_;
  }
  return *listings_.emplace(directory, std::move(listing)).first->second;
}

// --- A set of paths.

void PathTree::Add(std::string_view path) {
  FileKind kind = FileKind::kOther;
  while (path.size() > 1) {
    const std::string_view directory = DirName(path);
    Directory& parent = DirectoryAt(std::string(directory));
    const bool fresh = parent.names.emplace(BaseName(path), kind).second;
    parent.listing = nullptr;
    if (!fresh) return;
    kind = FileKind::kDirectory;
    path = directory;
  }
}

PathTree::Directory& PathTree::DirectoryAt(const std::string& path) {
  const auto [at, fresh] = directories_.try_emplace(path);
  if (fresh) at->second.number = directories_.size();
  return at->second;
}

FileKind PathTree::KindOf(const std::string& path) {
  if (directories_.contains(path)) return FileKind::kDirectory;
  const auto parent = directories_.find(std::string(DirName(path)));
  if (parent == directories_.end()) return FileKind::kNone;
  const auto name = parent->second.names.find(std::string(BaseName(path)));
  return name == parent->second.names.end() ? FileKind::kNone : name->second;
}

std::optional<std::pair<dev_t, ino_t>> PathTree::Identity(const std::string& directory) {
  const auto at = directories_.find(directory);
  if (at == directories_.end()) return std::nullopt;
  return std::make_pair(dev_t{0}, at->second.number);
}

Listing& PathTree::List(const std::string& directory) {
  const auto at = directories_.find(directory);
  if (at == directories_.end()) return none_;
  if (at->second.listing == nullptr) {
    std::vector<Listing::Entry> entries;
    for (const auto& [name, kind] : at->second.names)
      entries.push_back({name, kind});
    at->second.listing = std::make_unique<Listing>(std::move(entries));
  }
  return *at->second.listing;
}

}  // namespace agent
