#include "outputs/buffer/cursor_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace agent {
namespace {

constexpr off_t kSlotBytes = 4096;
constexpr uint64_t kMagic = 0x31525355434C4142ULL;

static_assert(std::endian::native == std::endian::little);

// Magic, sequence, id, checksum.
using Slot = std::array<uint64_t, 4>;

uint64_t HashOf(const Slot& slot) {
  return XXH3_64bits(slot.data(), 3 * sizeof(uint64_t));
}

}  // namespace

Result<CursorFile> CursorFile::Open(const std::string& path) {
  CursorFile file;
  file.fd_.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.fd_.valid()) return ErrnoError(errno, "open " + path);
  file.Load();
  return file;
}

uint64_t CursorFile::Peek(const std::string& path) {
  CursorFile file;
  file.fd_.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd_.valid()) file.Load();
  return file.id_;
}

void CursorFile::Load() {
  for (unsigned i = 0; i < 2; ++i) {
    Slot slot{};
    const ssize_t size = ::pread(fd_.get(), slot.data(), sizeof(slot), i * kSlotBytes);
    if (size != static_cast<ssize_t>(sizeof(slot)) || slot[0] != kMagic) continue;
    if (slot[3] != HashOf(slot) || slot[1] < sequence_) continue;
    sequence_ = slot[1];
    id_ = slot[2];
    slot_ = 1 - i;
  }
}

Status CursorFile::Write(uint64_t id) {
  Slot slot{kMagic, ++sequence_, id, 0};
  slot[3] = HashOf(slot);
  const ssize_t size = ::pwrite(fd_.get(), slot.data(), sizeof(slot), slot_ * kSlotBytes);
  id_ = id;
  if (size != static_cast<ssize_t>(sizeof(slot))) return ErrnoError(errno, "write the cursor");
  dirty_ = true;
  return {};
}

Status CursorFile::Sync() {
  if (!dirty_) return {};
  if (::fdatasync(fd_.get()) != 0) return ErrnoError(errno, "sync the cursor");
  dirty_ = false;
  slot_ = 1 - slot_;
  return {};
}

}  // namespace agent
