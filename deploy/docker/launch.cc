// What the image starts: `launch ARGUMENT...` becomes /usr/bin/agent, with the right to read every
// log if the container is granted that.
//
// The right is the capability DAC_READ_SEARCH. In this file it is permitted, not effective: so it
// starts also where a container is not granted it, and hands it on to the agent where it is. The
// agent itself needs no file capability, and stays an ordinary program for debuggers and for
// LD_PRELOAD.

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

constexpr const char* kAgent = "/usr/bin/agent";
constexpr const char* kLaunch = "/usr/bin/launch";
constexpr uint32_t kReadEverything = 1U << CAP_DAC_READ_SEARCH;

// Makes the capability, where it is permitted, one that the next program keeps. False where it is
// not.
bool HandOnReading() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets = {};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  if ((sets[0].permitted & kReadEverything) == 0) return false;
  sets[0].inheritable |= kReadEverything;
  return ::syscall(SYS_capset, &header, sets.data()) == 0 &&
         ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) == 0;
}

int RunAgent(char** arguments) {
  if (!HandOnReading()) {
    std::fputs(
        "level=warn msg=\"no CAP_DAC_READ_SEARCH: logs that this user may not read are left out\" "
        "hint=\"docker run --cap-add DAC_READ_SEARCH; on Kubernetes also allowPrivilegeEscalation, "
        "or run as root\"\n",
        stderr);
  }
  ::execv(kAgent, arguments);
  std::perror(kAgent);
  return 126;
}

// What setcap does with cap_dac_read_search=p.
int Grant() {
  vfs_cap_data data = {};
  data.magic_etc = VFS_CAP_REVISION_2;
  data.data[0].permitted = kReadEverything;
  if (::setxattr(kLaunch, "security.capability", &data, sizeof(data), 0) == 0) return 0;
  std::perror(kLaunch);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  return argc > 1 && std::string_view(argv[1]) == "-grant" ? Grant() : RunAgent(argv);
}
