#include "agent/receivers/journal/bus_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"

namespace agent {

TEST_CASE("bus guard: a file that is cut off while it is mapped reads as zeros", "[journal]") {
  std::string name = "/tmp/bus-guard-XXXXXX";
  const UniqueFd fd(mkstemp(name.data()));
  REQUIRE(fd.valid());
  unlink(name.c_str());
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  REQUIRE(write(fd.get(), std::string(2 * page, 'x').data(), 2 * page) > 0);
  void* const mapped = mmap(nullptr, 2 * page, PROT_READ, MAP_SHARED, fd.get(), 0);
  REQUIRE(mapped != MAP_FAILED);
  const auto* const text = static_cast<const volatile char*>(mapped);

  {
    const BusGuard guard;
    CHECK(text[page] == 'x');
    CHECK_FALSE(BusGuard::hit());
    REQUIRE(ftruncate(fd.get(), static_cast<off_t>(page)) == 0);

    CHECK(text[page] == '\0');
    CHECK(text[2 * page - 1] == '\0');
    CHECK(text[page - 1] == 'x');
    CHECK(BusGuard::hit());
  }
  const BusGuard next;
  CHECK_FALSE(BusGuard::hit());
  munmap(mapped, 2 * page);
}

}  // namespace agent
