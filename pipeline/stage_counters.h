// Counts that a stage keeps beyond those that every stage has, on their way to /metrics. Each
// worker's pipeline has its own; a scrape adds them up.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/counter.h"

namespace agent {

// Filled while the pipeline is built; from then on stages count, and any thread reads.
class StageCounters {
 public:
  struct Row {
    std::string metric;  // In the table of metrics, with the labels job, stage, index, one more.
    std::string stage;   // StageContext::name.
    std::string index;   // StageContext::index.
    std::string what;    // The value of that further label.
    Counter count;
  };

  // Valid as long as this.
  Counter& Add(std::string metric, std::string stage, std::string index, std::string what) {
    rows_.push_back(std::make_unique<Row>());
    Row& row = *rows_.back();
    row.metric = std::move(metric);
    row.stage = std::move(stage);
    row.index = std::move(index);
    row.what = std::move(what);
    return row.count;
  }
  [[nodiscard]] const std::vector<std::unique_ptr<Row>>& rows() const { return rows_; }

 private:
  std::vector<std::unique_ptr<Row>> rows_;
};

}  // namespace agent
