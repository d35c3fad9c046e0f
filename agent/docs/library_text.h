// What `agent docs` prints: the list of pages, and what was found.

#pragma once

#include <string>
#include <string_view>

#include "agent/docs/render.h"
#include "agent/docs/search.h"

namespace agent::docs {

std::string ListText(const Library& library, const RenderOptions& options);

// Of a result that has found something.
std::string ResultText(const Library& library, const SearchResult& result, std::string_view query,
                       const RenderOptions& options);

}  // namespace agent::docs
