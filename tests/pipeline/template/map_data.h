// A template's data from a map: what tests and fuzz targets render.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/template/template.h"

namespace agent {

class MapData final : public TemplateData {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  // `compiled` outlives this.
  MapData(const Template& compiled, Map values) : compiled_(compiled), values_(std::move(values)) {}

  std::optional<std::string_view> Lookup(std::size_t index) override {
    const auto found = values_.find(compiled_.names()[index]);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }
  void ForEach(const std::function<void(std::string_view, std::string_view)>& visit) override {
    for (const auto& [name, value] : values_)
      visit(name, value);
  }

 private:
  const Template& compiled_;
  const Map values_;
};

}  // namespace agent
