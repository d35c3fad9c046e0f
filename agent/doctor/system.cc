#include "agent/doctor/system.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace agent::doctor {
namespace {

constexpr std::size_t kNameBuffer = 16384;

bool IsInContainer() {
  return ::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0 ||
         std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace

System System::Current() {
  System system;
  system.uid = ::geteuid();
  system.gid = ::getegid();
  system.user = UserName(system.uid);
  system.container = IsInContainer();
  return system;
}

std::optional<std::string> FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> line = FirstLine(path);
  if (!line) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::string Bytes(uint64_t bytes) {
  constexpr std::array<const char*, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return Count(bytes, "byte");
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (number /= 1024; number >= 1024 && unit + 1 < kUnits.size(); ++unit)
    number /= 1024;
  const bool whole = number >= 100 || number == static_cast<double>(static_cast<int>(number));
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), whole ? "%.0f %s" : "%.1f %s", number, kUnits.at(unit));
  return text.data();
}

std::string Count(uint64_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

void AddWord(std::string& list, std::string_view word, std::string_view separator) {
  if (!list.empty()) list += separator;
  list += word;
}

std::string UserName(uid_t uid) {
  std::vector<char> buffer(kNameBuffer);
  passwd entry{};
  passwd* found = nullptr;
  const bool known = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0;
  return known && found != nullptr ? std::string(entry.pw_name) : std::to_string(uid);
}

std::string GroupName(gid_t gid) {
  std::vector<char> buffer(kNameBuffer);
  group entry{};
  group* found = nullptr;
  const bool known = ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0;
  return known && found != nullptr ? std::string(entry.gr_name) : std::to_string(gid);
}

std::string Quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace agent::doctor
