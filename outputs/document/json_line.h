// A line that is a JSON object, taken apart for a document: what Beats call decoding JSON.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "outputs/growing_buffer.h"

namespace agent {

// Used by one worker's thread. Keeps memory from one line to the next.
class JsonLine {
 public:
  struct Member {
    std::string path;              // Names of objects and of the member in them, with dots between.
    simdjson::dom::element value;  // No object, unless an empty one.
  };

  // False: it is no JSON object, or repeats nothing but what no document can have (a number beyond
  // 64 bits, an endless depth); there are no members then. `padded_line`: 64 readable bytes follow.
  bool Parse(std::string_view padded_line);

  // Of the last line, in its order. Until the next Parse().
  [[nodiscard]] std::span<const Member> members() const { return {members_.data(), count_}; }

 private:
  void Add(const simdjson::dom::object& object, std::size_t prefix, int depth);

  simdjson::dom::parser parser_;
  std::vector<Member> members_;  // More than count_, for their memory.
  std::size_t count_ = 0;
  std::string path_;
};

// As JSON. Numbers that are no integers have a decimal point.
void AppendJsonElement(GrowingBuffer& to, const simdjson::dom::element& element);
// As a JSON string, whatever it is.
void AppendElementAsString(GrowingBuffer& to, const simdjson::dom::element& element);

}  // namespace agent
