// Writes entries as JSON documents: `@timestamp`, `message`, and what is known of where they come
// from. Which names a document has differs from stream to stream and rarely within one: its shape
// is worked out once, and an entry fills in the values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <simdjson.h>

#include "base/entry.h"
#include "base/label_sets.h"
#include "base/source_progress.h"
#include "outputs/document/document_options.h"
#include "outputs/document/document_tree.h"
#include "outputs/document/json_line.h"
#include "outputs/growing_buffer.h"

namespace agent {

// Used by one worker's thread.
class DocumentWriter {
 public:
  // Both outlive it.
  DocumentWriter(const DocumentOptions& options, LabelSets& sets);

  // Appends the entry as one JSON object, without a newline. `source`: where its first line is
  // from; may be null.
  void Append(GrowingBuffer& to, const Entry& entry, const SourceProgress* source);

 private:
  // A shape, and what it is good for.
  struct Shape {
    std::vector<DocumentPiece> pieces;
    LabelSetId labels = kEmptyLabelSet;
    std::vector<std::string> names;  // Of the metadata, of the fields, of what the line has.
    std::size_t metadata = 0;        // How many of them.
    std::size_t fields = 0;
    bool has_source = false;
    bool line_is_json = false;
  };

  [[nodiscard]] std::span<const JsonLine::Member> LineMembers() const {
    if (!line_is_json_) return {};
    return line_.members();
  }
  void EnterSource(const SourceProgress* source);
  const Shape& ShapeOf(const Entry& entry);
  [[nodiscard]] bool Fits(const Shape& shape, const Entry& entry) const;
  [[nodiscard]] uint64_t KeyOf(const Entry& entry) const;
  Shape MakeShape(const Entry& entry) const;
  void AddEcs(DocumentTree& tree, const Entry& entry) const;
  void AddKnownLabels(DocumentTree& tree, const Labels& labels) const;
  void AddConstants(DocumentTree& tree) const;
  void AddFields(DocumentTree& tree, const Entry& entry) const;
  void AddMetadata(DocumentTree& tree, const Entry& entry) const;
  void AddLine(DocumentTree& tree, uint32_t hole) const;
  void Fill(GrowingBuffer& to, uint32_t hole, const Entry& entry, const Shape& shape);
  void AppendMessage(GrowingBuffer& to, std::string_view line) const;
  void AppendField(GrowingBuffer& to, const Field& field) const;
  // If not, it is another output's.
  [[nodiscard]] bool IsWanted(std::string_view name) const;
  [[nodiscard]] FieldType TypeOf(std::string_view name) const;
  // A JSON object with a time: the line itself. False when the line is none.
  bool AppendRaw(GrowingBuffer& to, const Entry& entry);

  const DocumentOptions& options_;
  LabelSets& sets_;
  bool wants_all_ = false;
  const SourceProgress* source_ = nullptr;
  std::string source_name_;
  std::string source_path_;  // The name as JSON.
  uint64_t epoch_ = 0;
  std::unordered_map<uint64_t, std::vector<Shape>> shapes_;
  std::size_t shape_count_ = 0;
  const Shape* last_ = nullptr;
  JsonLine line_;  // Where lines are decoded.
  bool line_is_json_ = false;
  simdjson::dom::parser parser_;  // Of kRaw.
};

}  // namespace agent
