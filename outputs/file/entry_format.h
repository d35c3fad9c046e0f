// What an entry becomes in a file: one line, or as many as it has itself (`raw`).

#pragma once

#include <string>
#include <vector>

#include "base/entry.h"
#include "base/label_sets.h"
#include "base/source_progress.h"
#include "outputs/document/document_writer.h"
#include "outputs/file/file_options.h"
#include "outputs/growing_buffer.h"

namespace agent::file {

// Used by one worker's thread.
class EntryFormat {
 public:
  // Both outlive it.
  EntryFormat(const FileOptions& options, LabelSets& sets);

  // Appends the entry and a newline. `source`: where its first line is from; may be null.
  void Append(GrowingBuffer& to, const Entry& entry, const SourceProgress* source);

 private:
  void AppendLogfmt(GrowingBuffer& to, const Entry& entry);
  const std::string& LabelText(LabelSetId labels);

  const FileFormat format_;
  LabelSets& sets_;
  DocumentWriter writer_;
  uint64_t epoch_ = 0;
  bool has_text_ = false;
  LabelSetId text_of_ = kEmptyLabelSet;
  std::string text_;  // The labels as ` a=1 b=2`.
};

}  // namespace agent::file
