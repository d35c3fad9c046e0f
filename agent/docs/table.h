// How a table is put into the width that there is.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace agent::docs {

constexpr std::size_t kColumnGap = 2;

// The width of each column; nullopt when there is too little room for columns side by side: then
// the cells of a row stand below one another. `rows` has the head first.
std::optional<std::vector<std::size_t>> ColumnWidths(
    const std::vector<std::vector<std::string>>& rows, std::size_t width);

}  // namespace agent::docs
