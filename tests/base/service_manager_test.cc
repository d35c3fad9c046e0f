#include "base/service_manager.h"

#include <unistd.h>

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/notify_socket.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::microseconds;

std::string AbstractName() {
  return "@log-agent-test-" + std::to_string(::getpid());
}

}  // namespace

TEST_CASE("service manager: is told by path and by abstract name", "[service]") {
  const TempDir dir;
  const bool abstract = GENERATE(false, true);
  NotifySocket socket(abstract ? AbstractName() : dir.path() + "/notify");
  const auto manager = ServiceManager::Connect(socket.address());
  REQUIRE(manager.ok());

  CHECK(manager->Tell("READY=1\nSTATUS=here"));

  CHECK(socket.Next() == "READY=1\nSTATUS=here");
}

TEST_CASE("service manager: one that does not listen is told nothing, and nothing waits",
          "[service]") {
  const TempDir dir;
  const auto manager = ServiceManager::Connect(dir.path() + "/notify");
  REQUIRE(manager.ok());
  CHECK_FALSE(manager->Tell("READY=1"));

  NotifySocket socket(dir.path() + "/notify");
  int taken = 0;
  while (manager->Tell("STATUS=" + std::string(2000, 'x')) && taken < 100'000)
    ++taken;

  CHECK(taken > 0);
  CHECK(taken < 100'000);  // Its queue is full: this did not block.
  CHECK_FALSE(socket.Next().empty());
  CHECK(manager->Tell("WATCHDOG=1"));
}

TEST_CASE("service manager: an address that cannot be one is refused", "[service]") {
  for (const std::string& address : {std::string(), std::string("@"), std::string("relative"),
                                     "/" + std::string(107, 'x'), std::string("vsock:2:1234")}) {
    INFO(address);
    CHECK_FALSE(ServiceManager::Connect(address).ok());
  }
  CHECK(ServiceManager::Connect("/" + std::string(106, 'x')).ok());
  CHECK(ServiceManager::Connect("@" + std::string(107, 'x')).ok());
}

TEST_CASE("service manager: a watchdog is this process' own, and a number", "[service]") {
  CHECK(WatchdogInterval("30000000", "42", 42) == microseconds(30'000'000));
  CHECK(WatchdogInterval("5", std::nullopt, 42) == microseconds(5));
  CHECK_FALSE(WatchdogInterval("30000000", "43", 42));
  CHECK_FALSE(WatchdogInterval("30000000", "", 42));
  CHECK_FALSE(WatchdogInterval(std::nullopt, "42", 42));
  for (const char* const wrong : {"", "0", "-5", "5s", "18446744073709551615"}) {
    INFO(wrong);
    CHECK_FALSE(WatchdogInterval(wrong, std::nullopt, 42));
  }
}

}  // namespace agent
