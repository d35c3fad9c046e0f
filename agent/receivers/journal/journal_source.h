// The systemd journal as a source. Entries become lines with labels and times of their own; offsets
// count the bytes of these lines since the start, and the cursor that belongs to an offset is the
// link's to know.
//
// Whatever goes wrong with the files, reading goes on: after what is damaged, or, when the journal
// has to be opened again, after the last entry that was read.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/receivers/journal/journal_fields.h"
#include "agent/receivers/journal/journal_files.h"
#include "agent/receivers/journal/journal_labels.h"
#include "agent/receivers/journal/journal_link.h"
#include "agent/receivers/journal/journal_reader.h"
#include "agent/tail/source.h"
#include "base/clock.h"
#include "base/log.h"

namespace agent {

class JournalSource final : public Source {
 public:
  struct Init {
    std::string name;  // For logs and pages: "journal /var/log/journal".
    std::string job;
    Labels labels;  // Those that all entries have.
    std::string path;
    std::vector<std::string> matches;
    std::chrono::nanoseconds max_age{0};
    bool skips_older = false;  // Than max_age, also when they come after `cursor`.
    bool json = false;
    std::string cursor;  // Of the last entry that is settled; empty: none.
    uint64_t lineage = 0;
    std::shared_ptr<SourceProgress> progress;
    std::shared_ptr<JournalLink> link;
  };

  // An entry's line is shorter, and so is a field that is read.
  static constexpr std::size_t kMaxLineBytes = std::size_t{8} << 20;

  // `clock` and `logger` outlive the source.
  JournalSource(Init init, JournalLabels labels, const Clock& clock, Logger& logger);

  ReadStatus Read(BlockBuffer& buffer, std::size_t max_bytes, Chunk& chunk) override;
  [[nodiscard]] const Labels& labels() const override { return init_.labels; }
  [[nodiscard]] const std::string& job() const override { return init_.job; }
  [[nodiscard]] const std::shared_ptr<SourceProgress>& progress() const override {
    return init_.progress;
  }
  [[nodiscard]] uint64_t lineage() const override { return init_.lineage; }
  [[nodiscard]] const Source* predecessor() const override { return nullptr; }
  [[nodiscard]] std::string name() const override { return init_.name; }

 private:
  enum class Stop : uint8_t { kFull, kAtEnd, kFailed };
  // A line in the buffer, which may still move.
  struct Piece {
    std::size_t at = 0;
    std::size_t bytes = 0;
    const Labels* labels = nullptr;
    int64_t timestamp_ns = 0;
  };

  // False: there is nothing that can be read.
  bool Prepare();
  bool EnsureOpen(int64_t now_ns);
  Status Open();
  // To where reading begins, or goes on after the journal was opened again.
  Status GoToStart();
  Status GoToAge();
  Status GoAfterCursor();
  void CloseReader();
  // Now and then: whether it is still the journal that is meant, and which files cannot be read.
  void LookAround(int64_t now_ns);
  void CheckFiles();
  [[nodiscard]] JournalTrouble WhatIsWrongWith(const JournalFiles& files) const;
  void SetCondition(bool open, const JournalTrouble& trouble, bool is_error);

  Stop Collect(BlockBuffer& buffer, std::size_t max_bytes);
  void TakeEntry(BlockBuffer& buffer);
  // False: damaged.
  bool ReadFields(bool& too_long);
  // Null: it has none, which is counted.
  const std::string* LineOf(bool too_long);
  void CountUnlabelled(JournalLabels::Outcome outcome);
  void AppendLine(BlockBuffer& buffer, const std::string& line, const Labels& labels,
                  uint64_t time_us);
  void AfterFailure(std::string_view what);
  void Skipped(Counter& counter, std::string_view message, std::string_view hint);
  ReadStatus Idle();

  const Init init_;
  JournalLabels labels_;
  const Clock& clock_;
  Logger& logger_;
  const std::vector<std::string> roots_;

  std::unique_ptr<JournalReader> reader_;
  std::vector<std::pair<uint64_t, uint64_t>> root_identities_;
  std::string cursor_;  // Of the last entry that was read.
  uint64_t time_us_ = 0;
  bool begun_ = false;       // GoToStart() has been done once.
  bool progressed_ = false;  // An entry was read since the journal was opened.
  bool step_over_ = false;   // What comes after the cursor cannot be read.
  bool files_changed_ = false;
  std::size_t bad_files_ = 0;
  std::string trouble_;  // That was logged last.
  int64_t next_try_ns_ = 0;
  int64_t next_look_ns_ = 0;

  // What the last chunk points to.
  JournalFields fields_;
  std::string json_;
  std::vector<Piece> pieces_;
  std::vector<ChunkLine> lines_;
  std::vector<JournalLink::Mark> marks_;
  std::size_t collected_ = 0;  // Bytes in the buffer.
  uint64_t offset_ = 0;        // Of the first of them.
};

}  // namespace agent
