// A file that an output finds and goes on with: any bytes, in any format.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"
#include "outputs/file/file_tail.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using agent::FileCompression;
  using agent::FileFormat;
  using State = agent::file::FileTail::State;
  const agent::UniqueFd fd(::memfd_create("tail", MFD_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  for (const FileCompression compression :
       {FileCompression::kNone, FileCompression::kGzip, FileCompression::kZstd}) {
    for (const FileFormat format : {FileFormat::kNdjson, FileFormat::kRaw}) {
      const auto tail = agent::file::JudgeTail(fd.get(), size, compression, format);
      if (!tail.ok() || tail->whole_bytes > size) __builtin_trap();
      if (tail->state != State::kTorn) continue;
      // What is left when it is cut is whole.
      const auto rest = agent::file::JudgeTail(fd.get(), tail->whole_bytes, compression, format);
      if (!rest.ok() || rest->state != State::kWhole) __builtin_trap();
    }
  }
  return 0;
}
