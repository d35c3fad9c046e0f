#include "agent/receivers/journal/bus_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "base/check.h"

namespace agent {
namespace {

thread_local volatile std::sig_atomic_t guarded = 0;
thread_local volatile std::sig_atomic_t was_hit = 0;
// Set once, before the handler is.
struct sigaction handler_before = {};
std::uintptr_t page_bytes = 0;

// Only what may be done in a handler; that mmap() may is not written anywhere, but it is a plain
// system call on Linux.
void OnBusError(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (guarded != 0 && info->si_code == BUS_ADRERR) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the page of an address.
    void* const page = reinterpret_cast<void*>(address - address % page_bytes);
    if (mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) {
      was_hit = 1;
      return;
    }
  }
  // Not ours: it happens again at once, and then whoever was asked before us deals with it.
  sigaction(SIGBUS, &handler_before, nullptr);
  if (info->si_code <= 0) std::raise(SIGBUS);  // But not when somebody has sent it.
}

bool Install() {
  page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGBUS, &action, &handler_before) == 0;
}

}  // namespace

BusGuard::BusGuard() {
  static const bool kInstalled = Install();
  AGENT_CHECK(kInstalled && guarded == 0);
  was_hit = 0;
  guarded = 1;
}

BusGuard::~BusGuard() {
  guarded = 0;
}

bool BusGuard::hit() {
  return was_hit != 0;
}

}  // namespace agent
