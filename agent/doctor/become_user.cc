#include "agent/doctor/become_user.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us.

namespace agent::doctor {
namespace {

constexpr std::size_t kNameBuffer = 16384;

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

std::optional<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<Account> FindAccount(const std::string& name) {
  std::vector<char> buffer(kNameBuffer);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  const std::optional<uint32_t> number = ParseNumber(name);
  if (found == nullptr && number)
    ::getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found);
  Account account;
  if (found != nullptr) {
    account = {entry.pw_name, entry.pw_uid, entry.pw_gid, {}};
    int count = 64;
    account.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count) < 0) {
      account.groups.resize(static_cast<std::size_t>(count));
      ::getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count);
    }
    account.groups.resize(static_cast<std::size_t>(count));
  } else if (number) {  // As a container may have it: a number without a name.
    account = {name, *number, *number, {*number}};
  } else {
    return Error{ErrorCode::kNotFound, "there is no such user"};
  }
  return account;
}

Result<gid_t> FindGroup(const std::string& name) {
  std::vector<char> buffer(kNameBuffer);
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  if (const auto number = ParseNumber(name)) return *number;
  return Error{ErrorCode::kNotFound, "there is no group " + name};
}

Result<Account> ParseUser(const std::string& text) {
  const std::size_t colon = text.find(':');
  Result<Account> account = FindAccount(text.substr(0, colon));
  if (!account.ok() || colon == std::string::npos) return account;
  for (std::size_t begin = colon + 1; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const Result<gid_t> gid = FindGroup(text.substr(begin, end - begin));
    if (!gid.ok()) return Error(gid.error());
    account->groups.push_back(*gid);
    begin = end + 1;
  }
  return account;
}

}  // namespace

std::vector<std::string> WithoutUser(std::span<const char* const> arguments) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "-user" || argument == "--user") {
      ++i;
    } else if (!argument.starts_with("-user=") && !argument.starts_with("--user=")) {
      kept.emplace_back(argument);
    }
  }
  return kept;
}

Error BecomeUser(const std::string& user, std::span<const char* const> arguments) {
  Result<Account> account = ParseUser(user);
  if (!account.ok()) return std::move(account).error();
  // Before the change: the user need not be allowed to come to where the program is.
  const UniqueFd program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!program.valid()) return ErrnoError(errno, "/proc/self/exe");
  if (::geteuid() == 0) {
    if (::setgroups(account->groups.size(), account->groups.data()) != 0 ||
        ::setgid(account->gid) != 0 || ::setuid(account->uid) != 0) {
      return ErrnoError(errno, "its rights cannot be taken");
    }
  } else if (::geteuid() != account->uid) {
    return Error{ErrorCode::kPermission, "only root can look with another user's rights: use sudo"};
  }
  std::vector<std::string> kept = WithoutUser(arguments);
  std::string name = "agent";
  std::string command = "doctor";
  std::vector<char*> argv = {name.data(), command.data()};
  for (std::string& argument : kept)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  // Anew, so that capabilities of the program's file hold as they do for the agent.
  ::fexecve(program.get(), argv.data(), environ);
  return ErrnoError(errno, "the program cannot be started as that user");
}

}  // namespace agent::doctor
