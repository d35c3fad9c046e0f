#include "agent/receivers/journal/journal_reader.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace agent {

Result<std::unique_ptr<JournalReader>> JournalReader::Open(
    const std::string& path, const std::vector<std::string>& matches) {
  sd_journal* opened = nullptr;
  const int result = path.empty() ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY)
                                  : sd_journal_open_directory(&opened, path.c_str(), 0);
  if (result < 0) return ErrnoError(-result, path.empty() ? "open the system's journal" : path);
  std::unique_ptr<JournalReader> reader(new JournalReader(Handle(opened)));
  sd_journal_set_data_threshold(opened, kUnpackedBytes);
  for (const std::string& match : matches) {
    const int added = sd_journal_add_match(opened, match.data(), match.size());
    if (added < 0) return ErrnoError(-added, "match '" + match + "'");
  }
  const int sought = sd_journal_seek_head(opened);
  if (sought < 0) return ErrnoError(-sought, "seek");
  return reader;
}

Status JournalReader::SeekTime(uint64_t microseconds) {
  const int result = sd_journal_seek_realtime_usec(journal_.get(), microseconds);
  if (result < 0) return ErrnoError(-result, "seek by time");
  return {};
}

Result<bool> JournalReader::SeekEntry(const std::string& cursor) {
  const int sought = sd_journal_seek_cursor(journal_.get(), cursor.c_str());
  if (sought == -EINVAL) return Error{ErrorCode::kInvalid, "not a cursor"};
  if (sought < 0) return ErrnoError(-sought, "seek by cursor");
  const int moved = sd_journal_next(journal_.get());
  if (moved < 0) return ErrnoError(-moved, "seek by cursor");
  return moved > 0 && sd_journal_test_cursor(journal_.get(), cursor.c_str()) > 0;
}

Result<JournalReader::Step> JournalReader::Next() {
  const int moved = sd_journal_next(journal_.get());
  if (moved < 0) return ErrnoError(-moved, "go to the next entry");
  return moved > 0 ? Step::kEntry : Step::kEnd;
}

Result<uint64_t> JournalReader::Time() {
  uint64_t microseconds = 0;
  const int result = sd_journal_get_realtime_usec(journal_.get(), &microseconds);
  if (result < 0) return ErrnoError(-result, "the time of an entry");
  return microseconds;
}

Result<std::string> JournalReader::Cursor() {
  char* text = nullptr;
  const int result = sd_journal_get_cursor(journal_.get(), &text);
  if (result < 0) return ErrnoError(-result, "the cursor of an entry");
  std::string cursor(text);
  std::free(text);  // NOLINT(cppcoreguidelines-no-malloc): libsystemd's way.
  return cursor;
}

int JournalReader::NextField(std::string_view& data) {
  const void* at = nullptr;
  std::size_t bytes = 0;
  // Passes over what is packed in a way that this libsystemd does not know.
  const int got = sd_journal_enumerate_available_data(journal_.get(), &at, &bytes);
  if (got > 0) data = {static_cast<const char*>(at), bytes};
  return got;
}

Result<UniqueFd> JournalReader::WatchFd() {
  const int fd = sd_journal_get_fd(journal_.get());
  if (fd < 0) return ErrnoError(-fd, "watch the journal");
  UniqueFd duplicate(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!duplicate.valid()) return ErrnoError(errno, "watch the journal");
  return duplicate;
}

Result<bool> JournalReader::TakeChanges() {
  const int result = sd_journal_process(journal_.get());
  if (result < 0) return ErrnoError(-result, "look for changes of the journal");
  return result == SD_JOURNAL_INVALIDATE;
}

}  // namespace agent
