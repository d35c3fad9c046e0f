// libsystemd's reader of journal files, as far as a source needs it. Used by one thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

#include <systemd/sd-journal.h>

namespace agent {

class JournalReader {
 public:
  // Compressed fields are unpacked up to this length, with their name.
  static constexpr std::size_t kUnpackedBytes = (std::size_t{8} << 20) + 256;

  enum class Step : uint8_t { kEntry, kEnd };

  // The journals in a directory and in the folders of machines in it; empty: the system's own.
  // `matches` are "FIELD=value": of one field any, of several fields all. Stands before the oldest
  // entry.
  static Result<std::unique_ptr<JournalReader>> Open(const std::string& path,
                                                     const std::vector<std::string>& matches);

  // Before the first entry that is not older; microseconds since 1970.
  Status SeekTime(uint64_t microseconds);
  // On the entry with this cursor, so that Next() gives what comes after it. False: it is not there
  // (any more), and what comes next is undefined. kInvalid: it is no cursor.
  Result<bool> SeekEntry(const std::string& cursor);

  // To the next entry. After kEnd it may be asked again.
  Result<Step> Next();

  // Of the system's journal: whether there are files of it.
  [[nodiscard]] bool has_files() const {
    return sd_journal_has_runtime_files(journal_.get()) > 0 ||
           sd_journal_has_persistent_files(journal_.get()) > 0;
  }

  // --- Of the present entry.

  Result<uint64_t> Time();  // Microseconds since 1970.
  Result<std::string> Cursor();
  // Calls `take` with each field's name and value, which are valid during the call. An error: the
  // entry is damaged.
  template <typename Take>
  Status ForEachField(Take&& take) {
    sd_journal_restart_data(journal_.get());
    std::string_view data;
    int got = NextField(data);
    for (; got > 0; got = NextField(data)) {
      const std::size_t equals = data.find('=');
      if (equals == std::string_view::npos) return Error{ErrorCode::kInvalid, "not a field"};
      take(data.substr(0, equals), data.substr(equals + 1));
    }
    if (got < 0) return ErrnoError(-got, "read an entry");
    return {};
  }

  // Readable when entries or files have come or gone. A duplicate: any thread may wait for it.
  Result<UniqueFd> WatchFd();
  // Takes note of files that have come or gone; to be called before Next() when WatchFd() was
  // readable. True: the set of files is another one.
  Result<bool> TakeChanges();

 private:
  struct Close {
    void operator()(sd_journal* journal) const { sd_journal_close(journal); }
  };
  using Handle = std::unique_ptr<sd_journal, Close>;
  explicit JournalReader(Handle journal) : journal_(std::move(journal)) {}

  // As sd_journal_enumerate_data().
  int NextField(std::string_view& data);

  const Handle journal_;
};

}  // namespace agent
