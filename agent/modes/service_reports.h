// What the service manager is told while the agent runs: that it is ready, reloads or stops, how it
// is, and that it is alive. See systemd.service(5): Type=notify, WatchdogSec=.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/config/environment.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/service_manager.h"

namespace agent {

// Loop thread.
class ServiceReports {
 public:
  // All of it outlives the reports.
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    std::function<std::string()> status;  // How it is, in a line.
    // Since when a worker has been at the same piece of work, monotonic; 0: all wait for some.
    std::function<int64_t()> busy_since_ns;
  };

  // Null when no service manager wants to know: $NOTIFY_SOCKET is not set, or of no use.
  static std::unique_ptr<ServiceReports> ForEnvironment(const Environment& environment,
                                                        Dependencies dependencies);

  ServiceReports(ServiceManager manager, std::optional<std::chrono::microseconds> watchdog,
                 Dependencies dependencies);
  ServiceReports(const ServiceReports&) = delete;
  ServiceReports& operator=(const ServiceReports&) = delete;
  ~ServiceReports() = default;

  // It has its configuration, and everything runs. From here on signs of life are given twice in
  // the watchdog's interval, as long as no worker is stuck for longer than one interval; and the
  // status where it has changed.
  void Ready();
  void Reloading();  // Until the next Ready().
  void Stopping();

 private:
  void TellStatus();
  void GiveSignOfLife();

  ServiceManager manager_;
  const std::optional<std::chrono::microseconds> watchdog_;
  Dependencies dependencies_;
  std::string told_;  // The status.
  bool stopping_ = false;
  Timer status_timer_;
  Timer watchdog_timer_;
};

}  // namespace agent
