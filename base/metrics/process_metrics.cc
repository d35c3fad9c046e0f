#include "base/metrics/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace agent {
namespace {

// A file of /proc; empty when it cannot be read.
std::string ReadProcFile(const char* path) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while (fd.valid() && (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

// Fields of /proc/self/stat, counted as proc(5) does, from 1.
constexpr int kStartTicks = 22;
constexpr int kVirtualBytes = 23;
constexpr int kResidentPages = 24;

std::optional<double> StatField(const std::string& stat, int field) {
  // The second field is the program's name in parentheses, which may hold blanks itself.
  std::size_t at = stat.rfind(')');
  for (int i = 2; i < field && at != std::string::npos; ++i)
    at = stat.find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  return std::strtod(stat.c_str() + at, nullptr);
}

double Seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// When the machine was started, seconds since 1970. Not from /proc/stat, which a sandbox may hide;
// in whole seconds, as there, so that it is the same at every look.
std::optional<double> BootTime() {
  timespec now{};
  timespec since_boot{};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return std::nullopt;
  if (::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return std::nullopt;
  return std::floor(Seconds(now) - Seconds(since_boot));
}

std::optional<double> OpenDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (folder == nullptr) return std::nullopt;
  double count = 0;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this function's own.
  while (const dirent* item = ::readdir(folder.get())) {
    if (item->d_name[0] != '.') ++count;
  }
  return count - 1;  // Not the one that lists them.
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double Limit(const rlimit& limit) {
  return limit.rlim_cur == RLIM_INFINITY ? -1 : static_cast<double>(limit.rlim_cur);
}

}  // namespace

void CollectProcessMetrics(MetricSink& sink) {
  const auto add = [&sink](std::string_view name, std::optional<double> value) {
    if (value) sink.Add(name, {}, *value);
  };

  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    add("process_cpu_seconds_total", Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) add("process_max_fds", Limit(limit));
  if (::getrlimit(RLIMIT_AS, &limit) == 0) add("process_virtual_memory_max_bytes", Limit(limit));
  add("process_open_fds", OpenDescriptors());

  const std::string stat = ReadProcFile("/proc/self/stat");
  add("process_virtual_memory_bytes", StatField(stat, kVirtualBytes));
  if (const auto pages = StatField(stat, kResidentPages)) {
    add("process_resident_memory_bytes", *pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  const auto boot = BootTime();
  const auto ticks = StatField(stat, kStartTicks);
  if (boot && ticks) {
    add("process_start_time_seconds", *boot + *ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  }
}

}  // namespace agent
