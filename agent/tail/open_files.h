// How many files may be open at once. A source keeps its descriptor while there is room; when there
// is none, the one that has been idle longest gives up its own, and opens the file again when it is
// woken.

#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "base/mutex.h"
#include "base/result.h"

namespace agent {

// Raises the soft limit of open files to the hard one. Returns the limit that holds then.
Result<std::size_t> RaiseDescriptorLimit();

// Half of the soft limit, at most 4096: what files may take of it.
std::size_t DefaultMaxOpenFiles();

// Thread-safe.
class OpenFiles {
 public:
  // Who holds a descriptor.
  class Holder {
   public:
    virtual ~Holder() = default;
    // Closes the descriptor unless it is in use at this moment, or its file could not be found
    // again (rotated, deleted), or, without `even_unread`, there is something left to read. Never
    // waits, and calls nothing here. True when it is closed now.
    virtual bool CloseIfIdle(bool even_unread) = 0;
  };

  explicit OpenFiles(std::size_t max_open) : max_open_(max_open) {}
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles() = default;

  // Before opening: closes files of others while there are too many, idle ones first. Rotated and
  // deleted files are never closed for this, so the number may be exceeded by them.
  void MakeRoom();
  // After EMFILE: closes up to `count` files. Returns how many.
  std::size_t CloseSome(std::size_t count);

  void Opened(Holder* holder);  // The descriptor is held from now on.
  void Closed(Holder* holder);  // It is not, or the holder goes away.
  // Has read to its end: the candidate for closing once it is the oldest.
  void Idle(Holder* holder);

  [[nodiscard]] std::size_t open() const;
  [[nodiscard]] bool has_room() const { return open() < max_open_; }

 private:
  std::size_t CloseOldest(std::size_t count, bool even_unread) REQUIRES(mutex_);

  const std::size_t max_open_;
  mutable Mutex mutex_;
  std::list<Holder*> oldest_first_ GUARDED_BY(mutex_);
  std::unordered_map<Holder*, std::list<Holder*>::iterator> places_ GUARDED_BY(mutex_);
};

}  // namespace agent
