// What globs are walked over: directories and their names. The file system, read at most once for
// many globs; or a set of paths, to find those that a glob means without trying each.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace agent {

enum class FileKind : uint8_t { kNone, kDirectory, kOther };

// The names in one directory.
class Listing {
 public:
  struct Entry {
    std::string name;
    std::optional<FileKind> kind;  // None: not known without a look (a link).
  };

  explicit Listing(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
  // The indices of those that `pattern` (a component of a glob) may mean: at least all that it
  // does. Found by how the pattern begins or ends, so that ten thousand patterns for ten thousand
  // names take no hundred million comparisons.
  [[nodiscard]] const std::vector<uint32_t>& Candidates(std::string_view pattern);

 private:
  void SelectByBeginning(std::string_view prefix);
  void SelectByEnd(std::string_view suffix);

  std::vector<Entry> entries_;
  std::vector<uint32_t> by_name_;  // Sorted when first needed.
  std::vector<uint32_t> by_end_;   // By the name read backwards.
  std::vector<uint32_t> selected_;
};

// One thread.
class FileTree {
 public:
  virtual ~FileTree() = default;

  // Links are followed.
  virtual FileKind KindOf(const std::string& path) = 0;
  // What tells a directory from others, so that a circle is noticed; nothing when it is none.
  virtual std::optional<std::pair<dev_t, ino_t>> Identity(const std::string& directory) = 0;
  // Empty when it cannot be read. Valid until the next call. `directory` is "/" or has no slash at
  // its end.
  virtual Listing& List(const std::string& directory) = 0;
};

// The file system as it is when it is first asked. For one look; not to be kept.
class DiskTree final : public FileTree {
 public:
  FileKind KindOf(const std::string& path) override;
  std::optional<std::pair<dev_t, ino_t>> Identity(const std::string& directory) override;
  Listing& List(const std::string& directory) override;

 private:
  std::unordered_map<std::string, std::unique_ptr<Listing>> listings_;
  std::unordered_map<std::string, bool> is_directory_;
  std::size_t names_ = 0;              // In listings_: bounded.
  std::unique_ptr<Listing> not_kept_;  // The latest, when there are too many.
};

// A set of absolute paths, and the directories on the way to them.
class PathTree final : public FileTree {
 public:
  void Add(std::string_view path);

  FileKind KindOf(const std::string& path) override;
  std::optional<std::pair<dev_t, ino_t>> Identity(const std::string& directory) override;
  Listing& List(const std::string& directory) override;

 private:
  struct Directory {
    std::unordered_map<std::string, FileKind> names;
    std::unique_ptr<Listing> listing;  // Made from the names when first asked for.
    ino_t number = 0;
  };
  Directory& DirectoryAt(const std::string& path);

  std::unordered_map<std::string, Directory> directories_;
  Listing none_{{}};
};

}  // namespace agent
