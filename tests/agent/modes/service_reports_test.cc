#include "agent/modes/service_reports.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/agent_summary.h"
#include "base/loop.h"
#include "tests/support/fake_clock.h"
#include "tests/support/notify_socket.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Reports with a watchdog of `interval` of real time, whose timers turn with Run().
class Reporting {
 public:
  explicit Reporting(std::optional<microseconds> interval = std::nullopt) {
    auto manager = ServiceManager::Connect(socket.address());
    REQUIRE(manager.ok());
    reports = std::make_unique<ServiceReports>(
        std::move(*manager), interval,
        ServiceReports::Dependencies{loop, clock, logger, [this] { return status; },
                                     [this] { return busy_since_ns; }});
  }

  // Lets the loop turn until `count` signs of life or `limit` have passed. Gives their number.
  int SignsOfLife(int count, milliseconds limit) {
    int signs = 0;
    bool over = false;
    Timer timer(loop);
    timer.StartOnce(limit, [&over] { over = true; });
    while (signs < count && !over) {
      loop.RunOnce();
      for (std::string message = socket.Next(); !message.empty(); message = socket.Next())
        signs += message == "WATCHDOG=1" ? 1 : 0;
    }
    return signs;
  }

  TempDir dir;
  NotifySocket socket{dir.path() + "/notify"};
  Loop loop;
  FakeClock clock;
  Logger logger{2, LogLevel::kError, LogFormat::kLogfmt, &clock};
  std::string status = "3 files followed";
  int64_t busy_since_ns = 0;
  std::unique_ptr<ServiceReports> reports;
};

}  // namespace

TEST_CASE("service reports: ready, reload and stop are told with the status", "[service]") {
  Reporting reporting;

  reporting.reports->Ready();
  CHECK(reporting.socket.Next() == "READY=1\nSTATUS=3 files followed");
  reporting.reports->Reloading();
  CHECK(reporting.socket.Next() ==
        "RELOADING=1\nMONOTONIC_USEC=1000000000\nSTATUS=reading the configuration again");
  reporting.status = "4 files followed";
  reporting.reports->Ready();
  CHECK(reporting.socket.Next() == "READY=1\nSTATUS=4 files followed");
  reporting.reports->Stopping();
  CHECK(reporting.socket.Next() == "STOPPING=1\nSTATUS=delivering what has been read");

  // A reload that ends during the stop does not make it ready again.
  reporting.reports->Ready();
  CHECK(reporting.socket.Next().empty());
}

TEST_CASE("service reports: signs of life as long as workers are not stuck for an interval",
          "[service]") {
  Reporting reporting(milliseconds(20));
  reporting.reports->Ready();
  CHECK(reporting.SignsOfLife(4, milliseconds(20'000)) == 4);

  // At work, for less than the interval.
  reporting.busy_since_ns = reporting.clock.MonotonicNanos() - 20 * kNanosPerMilli;
  CHECK(reporting.SignsOfLife(2, milliseconds(20'000)) == 2);

  reporting.busy_since_ns = reporting.clock.MonotonicNanos() - 20 * kNanosPerMilli - 1;
  CHECK(reporting.SignsOfLife(1, milliseconds(100)) == 0);

  // Done after all.
  reporting.busy_since_ns = 0;
  CHECK(reporting.SignsOfLife(2, milliseconds(20'000)) == 2);
}

TEST_CASE("service reports: no signs of life where none are expected", "[service]") {
  Reporting reporting;
  reporting.reports->Ready();

  CHECK(reporting.SignsOfLife(1, milliseconds(50)) == 0);
}

TEST_CASE("service reports: there are none without a service manager", "[service]") {
  Reporting reporting;
  const auto for_socket = [&](const std::string& address) {
    return ServiceReports::ForEnvironment(
        [address](const std::string& name) {
          return name == "NOTIFY_SOCKET" && !address.empty() ? std::optional(address)
                                                             : std::nullopt;
        },
        {reporting.loop, reporting.clock, reporting.logger, [] { return std::string(); },
         [] { return int64_t{0}; }});
  };
  CHECK(for_socket("") == nullptr);
  CHECK(for_socket("relative") == nullptr);
  CHECK(for_socket(reporting.socket.address()) != nullptr);
}

TEST_CASE("summary: one line, with the worst first", "[service]") {
  AgentSummary summary{.files = 1, .sent_entries = 1};
  CHECK(SummaryText(summary) == "1 file followed, 1 entry sent");

  summary.other_sources = 2;
  CHECK(SummaryText(summary) == "1 file and 2 other sources followed, 1 entry sent");

  summary = {.files = 2, .sent_entries = 345, .problems = {"loki: retrying:\nrefused", "b", "c"}};
  CHECK(SummaryText(summary) ==
        "2 files followed, 345 entries sent; loki: retrying: refused; b; and 1 more");

  // Cut between characters.
  summary.problems = {std::string(159, 'x') + "ä"};
  CHECK(SummaryText(summary) ==
        "2 files followed, 345 entries sent; " + std::string(159, 'x') + "…");
}

}  // namespace agent
