#include "agent/tail/rotation_names.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include "agent/tail/glob.h"

namespace agent {
namespace {

constexpr std::array<std::string_view, 6> kCompressed = {".gz",  ".bz2", ".xz",
                                                         ".zst", ".lz4", ".Z"};

std::string_view WithoutCompression(std::string_view name) {
  for (const std::string_view suffix : kCompressed) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      name.remove_suffix(suffix.size());
      break;
    }
  }
  return name;
}

// What rotation puts into a name: a number, a date, a time, perhaps a word such as "old". It starts
// with a separator and has a digit in it, or is one of the words.
bool IsRotationMark(std::string_view mark) {
  constexpr std::string_view kSeparators = ".-_~";
  if (mark.empty()) return false;
  if (kSeparators.find(mark.front()) == std::string_view::npos) return false;
  const std::string_view word = mark.substr(1);
  if (word == "old" || word == "bak" || word == "backup" || word == "prev" || word == "rotated" ||
      mark == "~") {
    return true;
  }
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  // Letters appear in a date ("T", "Z", "May"), never a whole other name.
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  return std::any_of(word.begin(), word.end(), is_digit) &&
         std::count_if(word.begin(), word.end(), is_letter) <= 6 &&
         word.find('/') == std::string_view::npos;
}

}  // namespace

bool IsCompressedName(std::string_view name) {
  return WithoutCompression(name).size() != name.size();
}

bool IsRotatedName(std::string_view base, std::string_view name) {
  if (base.empty() || name == base) return false;
  name = WithoutCompression(name);
  if (name == base) return true;  // app.log.gz
  if (name.starts_with(base) && IsRotationMark(name.substr(base.size()))) return true;
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view stem = base.substr(0, dot);
  const std::string_view extension = base.substr(dot);
  return name.size() > base.size() && name.starts_with(stem) && name.ends_with(extension) &&
         IsRotationMark(name.substr(stem.size(), name.size() - base.size()));
}

DirectoryIndex::Listing& DirectoryIndex::Read(const std::string& directory) {
  const auto [at, fresh] = listings_.try_emplace(directory);
  Listing& listing = at->second;
  if (!fresh) return listing;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (dir == nullptr) return listing;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a DIR of our own; glibc's readdir is safe then.
  while (const dirent* entry = ::readdir(dir.get())) {
    // Nothing that rotates makes links; one that looks so may lead anywhere.
    if (entry->d_type == DT_DIR || entry->d_type == DT_LNK) continue;
    listing.by_inode[entry->d_ino].push_back(listing.entries.size());
    listing.entries.push_back({&entry->d_name[0], entry->d_ino});
  }
  return listing;
}

const std::vector<DirectoryIndex::Entry>& DirectoryIndex::List(const std::string& directory) {
  return Read(directory).entries;
}

std::optional<std::string> DirectoryIndex::FindFile(const std::string& directory,
                                                    const FileKey& key) {
  const Listing& listing = Read(directory);
  const auto at = listing.by_inode.find(key.inode);
  if (at == listing.by_inode.end()) return std::nullopt;
  for (const std::size_t index : at->second) {
    std::string path = directory == "/" ? "/" : directory + '/';
    path += listing.entries[index].name;
    // The listing may be old already, and an inode number says nothing about the device.
    const Result<FileStat> info = StatPath(path);
    if (info.ok() && info->regular && info->key == key) return path;
  }
  return std::nullopt;
}

std::vector<std::string> DirectoryIndex::RotatedPaths(const std::string& path) {
  const std::string directory(DirName(path));
  const std::string_view base = BaseName(path);
  std::vector<std::string> paths;
  for (const Entry& entry : Read(directory).entries) {
    if (!IsRotatedName(base, entry.name)) continue;
    paths.push_back((directory == "/" ? "/" : directory + '/') + entry.name);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace agent
