// The rows of the tables in which keys, flags and metrics stand.
//
// A table of keys has a comment above it that says where in the configuration they are:
// <!-- keys: clients[], client -->. Its first cell names the key, and what else it may be called;
// the column `default` what it is when it is not given.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/docs/markdown.h"

namespace agent::docs {

struct KeyRow {
  std::vector<std::string> names;     // `batch_wait`, `flush_interval`.
  std::vector<std::string> sections;  // Paths: "clients[]"; "*.tls_config" is any; "" is the top.
  bool is_key = false;                // Of a table with the comment.
  std::string heading;                // Under which it stands, the nearest.
  std::size_t block = 0;              // Index of the table among the blocks.
  std::size_t line = 0;               // Of the table in the page.
  std::vector<std::string> titles;    // Of the columns.
  std::vector<std::string> cells;

  // The cell below a title; empty without that column.
  [[nodiscard]] std::string_view Cell(std::string_view title) const;
};

// Of all tables of the page whose first cells hold code.
std::vector<KeyRow> KeyRows(const std::vector<Block>& blocks);

// Whether a path that the configuration really has, "outputs[].elasticsearch.tls_config", is the
// one that a table speaks of.
bool IsSection(std::string_view pattern, std::string_view path);

}  // namespace agent::docs
