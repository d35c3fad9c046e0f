// "did you mean …?"

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent {

// The candidate nearest to `word` if it is near enough to be a slip (edit distance with
// transpositions at most a third of the length, at least 1; differing only in case, '-' or '_'
// counts as near); empty otherwise.
std::string NearestSpelling(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace agent
