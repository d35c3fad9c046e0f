#include "agent/receivers/syslog/host_names.h"

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/fake_clock.h"

namespace agent {
namespace {

const std::string kHosts =
    "# comment\n127.0.0.1 localhost me.example # 127.0.0.1 no\n::1 ip6-localhost\n\n"
    "127.0.0.1 again\nnonsense here\n";

template <typename Condition>
void RunUntil(Loop& loop, const Condition& condition) {
  while (!condition())
    uv_run(loop.uv(), UV_RUN_ONCE);
}

}  // namespace

TEST_CASE("host names: those of /etc/hosts come as Promtail has them", "[syslog]") {
  CHECK(LookUpHostNames(kHosts, "127.0.0.1") == "localhost,me.example.,again");
  CHECK(LookUpHostNames(kHosts, "::1") == "ip6-localhost");
  CHECK(LookUpHostNames(kHosts, "no address").empty());
}

TEST_CASE("host names: an address is asked for once, and then known", "[syslog]") {
  Loop loop;
  FakeClock clock;
  std::atomic<int> lookups{0};
  HostNames names(loop, clock, [&lookups](const std::string& ip_address) {
    ++lookups;
    return "name of " + ip_address;
  });
  std::vector<std::string> answers;
  const auto answer = [&](const std::string& name) { answers.push_back(name); };

  CHECK(names.Find("10.0.0.1") == nullptr);
  names.Ask("10.0.0.1", answer);
  names.Ask("10.0.0.1", answer);
  names.Ask("10.0.0.2", answer);
  CHECK(answers.empty());
  RunUntil(loop, [&] { return answers.size() == 3; });
  names.Ask("10.0.0.1", answer);

  CHECK(answers.back() == "name of 10.0.0.1");
  CHECK(*names.Find("10.0.0.2") == "name of 10.0.0.2");
  CHECK(lookups == 2);
}

TEST_CASE("host names: what is known for long is asked for anew meanwhile", "[syslog]") {
  Loop loop;
  FakeClock clock;
  std::atomic<int> lookups{0};
  HostNames names(loop, clock,
                  [&lookups](const std::string&) { return std::to_string(++lookups); });
  names.Ask("10.0.0.1", [](const std::string&) {});
  RunUntil(loop, [&] { return names.Find("10.0.0.1") != nullptr; });
  clock.Advance(301 * kNanosPerSecond);

  CHECK(*names.Find("10.0.0.1") == "1");
  RunUntil(loop, [&] { return *names.Find("10.0.0.1") == "2"; });
}

TEST_CASE("host names: nobody waits long for a name service that does not answer", "[syslog]") {
  Loop loop;
  FakeClock clock;
  std::promise<void> stuck;
  const std::shared_future<void> released = stuck.get_future();
  std::vector<std::string> answers;
  {
    HostNames names(loop, clock, [released](const std::string&) {
      released.wait();
      return std::string("late");
    });
    names.Ask("10.0.0.1", [&](const std::string& name) { answers.push_back(name); });
    clock.Advance(6 * kNanosPerSecond);
    RunUntil(loop, [&] { return !answers.empty(); });
    CHECK(answers == std::vector<std::string>{""});
    CHECK(names.Find("10.0.0.1") == nullptr);
  }
  stuck.set_value();  // Its owner is gone.
}

}  // namespace agent
