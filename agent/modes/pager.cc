#include "agent/modes/pager.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace agent {
namespace {

constexpr int kNotFound = 127;  // What the shell ends with when there is no such program.

bool IsProgram(const std::string& name, const Environment& environment) {
  const std::string path = environment("PATH").value_or("/usr/bin:/bin");
  std::string_view rest = path;
  while (true) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string file = std::string(rest.substr(0, end)) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return true;
    if (end == rest.size()) return false;
    rest.remove_prefix(end + 1);
  }
}

bool Write(const std::string& text, std::FILE* file) {
  return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
}

}  // namespace

std::string PagerCommand(const Environment& environment) {
  const auto wanted = environment("PAGER");
  if (wanted) return *wanted == "cat" ? "" : *wanted;
  for (const char* const name : {"less", "more"}) {
    if (IsProgram(name, environment)) return name;
  }
  return {};
}

bool ShowPaged(const std::string& text, const std::string& pager) {
  if (pager.empty()) return Write(text, stdout);
  // As git does: colours as they are, no waiting for what fits on the screen.
  ::setenv("LESS", "FRX", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe): there is one thread.
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  // NOLINTNEXTLINE(cert-env33-c): the user's own command, from the user's own environment.
  std::FILE* const pipe = ::popen(pager.c_str(), "w");
  if (pipe == nullptr) return Write(text, stdout);
  Write(text, pipe);  // It may end before it has read everything.
  const int status = ::pclose(pipe);
  if (before != SIG_ERR) std::signal(SIGPIPE, before);  // NOLINT(cert-err33-c)
  const bool missing = WIFEXITED(status) && WEXITSTATUS(status) == kNotFound;
  return !missing || Write(text, stdout);
}

}  // namespace agent
