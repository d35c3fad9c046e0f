#include "agent/modes/service_reports.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds kStatusInterval(5);

}  // namespace

std::unique_ptr<ServiceReports> ServiceReports::ForEnvironment(const Environment& environment,
                                                               Dependencies dependencies) {
  const std::string address = environment("NOTIFY_SOCKET").value_or("");
  if (address.empty()) return nullptr;
  auto manager = ServiceManager::Connect(address);
  if (!manager) {
    dependencies.logger.Warn("agent", "the service manager cannot be told that the agent is ready",
                             {{"error", manager.error().message}});
    return nullptr;
  }
  const auto watchdog =
      WatchdogInterval(environment("WATCHDOG_USEC"), environment("WATCHDOG_PID"), ::getpid());
  return std::make_unique<ServiceReports>(std::move(*manager), watchdog, std::move(dependencies));
}

ServiceReports::ServiceReports(ServiceManager manager,
                               std::optional<std::chrono::microseconds> watchdog,
                               Dependencies dependencies)
    : manager_(std::move(manager)),
      watchdog_(watchdog),
      dependencies_(std::move(dependencies)),
      status_timer_(dependencies_.loop),
      watchdog_timer_(dependencies_.loop) {}

void ServiceReports::Ready() {
  if (stopping_) return;
  told_ = dependencies_.status();
  manager_.Tell("READY=1\nSTATUS=" + told_);
  if (status_timer_.active()) return;
  status_timer_.StartRepeating(duration_cast<milliseconds>(kStatusInterval),
                               [this] { TellStatus(); });
  if (!watchdog_) return;
  GiveSignOfLife();
  const auto half = duration_cast<milliseconds>(*watchdog_ / 2);
  watchdog_timer_.StartRepeating(std::max(half, milliseconds(1)), [this] { GiveSignOfLife(); });
}

void ServiceReports::Reloading() {
  if (stopping_) return;
  told_.clear();
  const int64_t now_us = dependencies_.clock.MonotonicNanos() / 1000;
  manager_.Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us) +
                "\nSTATUS=reading the configuration again");
}

void ServiceReports::Stopping() {
  stopping_ = true;
  status_timer_.Stop();
  manager_.Tell("STOPPING=1\nSTATUS=delivering what has been read");
}

void ServiceReports::TellStatus() {
  std::string status = dependencies_.status();
  if (status == told_) return;
  if (manager_.Tell("STATUS=" + status)) told_ = std::move(status);
}

void ServiceReports::GiveSignOfLife() {
  const int64_t busy_since = dependencies_.busy_since_ns();
  const nanoseconds busy(dependencies_.clock.MonotonicNanos() - busy_since);
  if (busy_since != 0 && busy > *watchdog_) {
    dependencies_.logger.WriteLimited(LogLevel::kError, "worker stuck", "agent",
                                      "a worker is stuck: the watchdog is left to fire",
                                      {{"seconds", std::chrono::duration<double>(busy).count()},
                                       {"hint", "a file system that does not answer, or a bug"}});
    return;
  }
  manager_.Tell("WATCHDOG=1");
}

}  // namespace agent
