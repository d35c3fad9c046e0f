#include "agent/doctor/survey.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "agent/tail/glob.h"
#include "base/unique_fd.h"

namespace agent::doctor {
namespace {

constexpr std::size_t kHeadBytes = 4096;
constexpr std::size_t kMaxListed = 10'000;  // Of what is wrong.

class Surveyor {
 public:
  explicit Surveyor(const std::vector<FilePattern>& patterns) : patterns_(patterns) {
    survey_.matches.resize(patterns.size());
  }

  Survey Run() {
    for (std::size_t i = 0; i < patterns_.size(); ++i)
      Expand(i);
    return std::move(survey_);
  }

 private:
  void Expand(std::size_t index) {
    const FilePattern& pattern = patterns_[index];
    Result<Glob> glob = Glob::Compile(AbsolutePath(pattern.path));
    if (!glob.ok()) {
      survey_.bad_patterns.emplace_back(pattern.path, glob.error().message);
      return;
    }
    std::optional<Glob> exclude;
    if (Result<Glob> compiled = Glob::Compile(pattern.exclude);
        !pattern.exclude.empty() && compiled.ok()) {
      exclude = std::move(compiled).value();
    }
    Glob::Visitor visitor;
    visitor.match = [&](const std::string& path) {
      if (!exclude || !exclude->Match(path)) Match(index, path);
    };
    visitor.directory = [this](const std::string& path) { Directory(path); };
    if (!glob->Expand(visitor)) survey_.complete = false;
  }

  void Match(std::size_t index, const std::string& path) {
    const auto [at, fresh] = seen_.try_emplace(path, index);
    if (!fresh) {
      if (patterns_[at->second].job != patterns_[index].job && survey_.twice.size() < kMaxListed)
        survey_.twice.push_back(path);
      if (at->second != index) ++survey_.matches[index];
      return;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return Unreadable(index, path);
    if (S_ISDIR(info.st_mode)) return;
    if (!S_ISREG(info.st_mode)) {
      survey_.special.push_back(path);
      return;
    }
    ++survey_.matches[index];
    std::error_code error;
    if (std::filesystem::is_symlink(path, error)) {
      const std::filesystem::path real = std::filesystem::canonical(path, error);
      if (!error) Directory(real.parent_path().string());
    }
    Open(index, path, info);
  }

  void Open(std::size_t index, const std::string& path, const struct stat& info) {
    SurveyedFile file;
    file.path = path;
    file.pattern = index;
    file.size = static_cast<uint64_t>(info.st_size);
    file.modified_s = info.st_mtim.tv_sec;
    if (opened_ >= kMaxOpened) {
      ++survey_.not_opened;
    } else {
      ++opened_;
      const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
      if (!fd.valid()) return Refused(index, path);
      file.opened = true;
      file.head.resize(kHeadBytes);
      const ssize_t got = ::pread(fd.get(), file.head.data(), file.head.size(), /*offset=*/0);
      file.head.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    }
    survey_.files.push_back(std::move(file));
  }

  // It matches, and leads to nothing.
  void Unreadable(std::size_t index, const std::string& path) {
    if (errno == ENOENT && ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
      return;  // Gone meanwhile.
    }
    ++survey_.matches[index];
    Refused(index, path);
  }

  void Refused(std::size_t index, const std::string& path) {
    if (survey_.unreadable.size() >= kMaxListed) return;
    UnreadableFile file;
    file.path = path;
    file.pattern = index;
    const int error = errno;
    const std::optional<Refusal> why = WhyRefused(path, Want::kRead);
    if (why) file.refusal = *why;
    if (!why) {  // What only opening it tells: a security module, a lease.
      file.refusal.error = error;
      file.refusal.place = path;
      ::stat(path.c_str(), &file.refusal.info);
      file.refusal.modes_allow = true;
    }
    survey_.unreadable.push_back(std::move(file));
  }

  // The nearest that exists.
  void Directory(std::string path) {
    struct stat info {};
    while (!survey_.directories.contains(path)) {
      if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
        survey_.directories.insert(path);
        return;
      }
      if (path == "/" || path.empty()) return;
      path = std::string(DirName(path));
    }
  }

  const std::vector<FilePattern>& patterns_;
  Survey survey_;
  std::unordered_map<std::string, std::size_t> seen_;  // The pattern that came first.
  std::size_t opened_ = 0;
};

struct Magic {
  std::string_view bytes;
  std::string_view format;  // Of `decompression`; empty: not one that is read.
  std::string_view kind;
};

using namespace std::string_view_literals;
constexpr std::array<Magic, 9> kMagics = {{{"\x1f\x8b"sv, "gz", "a gzip archive"},
                                           {"BZh"sv, "bz2", "a bzip2 archive"},
                                           {"\x28\xb5\x2f\xfd"sv, "zst", "a zstd archive"},
                                           {"\xfd"
                                            "7zXZ"sv,
                                            "", "an xz archive"},
                                           {"PK\x03\x04"sv, "", "a zip archive"},
                                           {"LPKSHHRH"sv, "", "a file of systemd's journal"},
                                           {"\x7f"
                                            "ELF"sv,
                                            "", "a program"},
                                           {"\xff\xfe"sv, "", "UTF-16 text"},
                                           {"\xfe\xff"sv, "", "UTF-16 text"}}};

const Magic* MagicOf(std::string_view head) {
  const auto* const at = std::find_if(kMagics.begin(), kMagics.end(), [head](const Magic& magic) {
    return head.starts_with(magic.bytes);
  });
  return at == kMagics.end() ? nullptr : at;
}

}  // namespace

Survey SurveyFiles(const std::vector<FilePattern>& patterns) {
  return Surveyor(patterns).Run();
}

std::string KindOfFile(std::string_view head) {
  if (const Magic* const magic = MagicOf(head)) return std::string(magic->kind);
  const auto zeros = static_cast<std::size_t>(std::count(head.begin(), head.end(), '\0'));
  // Half of the bytes of Latin letters in UTF-16.
  if (zeros * 3 > head.size() && zeros * 3 < head.size() * 2) return "UTF-16 text";
  const auto controls =
      static_cast<std::size_t>(std::count_if(head.begin(), head.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 &&
               std::string_view("\t\n\r\f\v\b\x1b").find(c) == std::string_view::npos;
      }));
  return controls * 10 > head.size() ? "binary" : "";
}

std::string CompressionOf(std::string_view head) {
  const Magic* const magic = MagicOf(head);
  return magic == nullptr ? "" : std::string(magic->format);
}

}  // namespace agent::doctor
