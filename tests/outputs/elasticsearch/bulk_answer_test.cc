#include "outputs/elasticsearch/bulk_answer.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent::elasticsearch {
namespace {

std::string Problem(std::string_view body, std::size_t documents) {
  const auto items = ParseBulkAnswer(body, documents);
  return items.ok() ? "" : items.error().message;
}

}  // namespace

TEST_CASE("bulk answer: items are read in order, whatever their action is called", "[es]") {
  const auto items = ParseBulkAnswer(
      R"({"errors":true,"items":[{"create":{"status":201}},{"index":{"status":200}},)"
      R"({"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},)"
      R"({"create":{"status":429,"error":{"type":"es_rejected_execution_exception"}}},)"
      R"({"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed",)"
      R"("caused_by":{"reason":"no date"}}}}]})",
      5);
  REQUIRE(items.ok());
  CHECK((*items)[0].verdict == ItemVerdict::kStored);
  CHECK((*items)[1].verdict == ItemVerdict::kStored);
  CHECK((*items)[2].verdict == ItemVerdict::kDuplicate);
  CHECK((*items)[3].verdict == ItemVerdict::kRetry);
  CHECK((*items)[4].verdict == ItemVerdict::kRefused);
  CHECK((*items)[4].status == 400);
  CHECK((*items)[4].reason == "mapper_parsing_exception: failed (no date)");
}

TEST_CASE("bulk answer: what a status means", "[es]") {
  CHECK(JudgeItem(403, "cluster_block_exception") == ItemVerdict::kHold);
  CHECK(JudgeItem(429, "cluster_block_exception") == ItemVerdict::kHold);
  CHECK(JudgeItem(403, "security_exception") == ItemVerdict::kRefused);
  CHECK(JudgeItem(404, "index_not_found_exception") == ItemVerdict::kHold);
  CHECK(JudgeItem(503, "") == ItemVerdict::kRetry);
  CHECK(JudgeItem(413, "") == ItemVerdict::kRefused);
}

TEST_CASE("bulk answer: a yes that does not fit the question is none", "[es]") {
  CHECK(Problem("", 1) == "the answer to _bulk is empty");
  CHECK(Problem("OK", 1) == "the answer to _bulk is not JSON");
  CHECK(Problem("{}", 1) == "the answer to _bulk has no items");
  CHECK(Problem(R"({"errors":false,"items":[]})", 2) ==
        "the answer to _bulk has 0 items for 2 documents");
  CHECK(Problem(R"({"items":[{"create":{"status":201}},{"create":{"status":201}}]})", 1) ==
        "the answer to _bulk has more items than there are documents");
  CHECK(Problem(R"({"items":[{"create":{}}]})", 1) ==
        "the answer to _bulk has an item without a status");
  CHECK(Problem(R"({"items":[{}]})", 1) == "the answer to _bulk has an item without a status");
  CHECK(Problem(R"({"items":[7]})", 1) == "the answer to _bulk has an item without a status");
  CHECK(Problem(R"([{"create":{"status":201}}])", 1) == "the answer to _bulk has no items");
}

TEST_CASE("bulk answer: one without items can be believed when it is asked for", "[es]") {
  CHECK(ParseBulkAnswer(R"({"errors":false,"items":[]})", 2, false)->size() == 2);
  CHECK(ParseBulkAnswer(R"({"errors":false})", 2, false)->size() == 2);
  CHECK_FALSE(ParseBulkAnswer(R"({"errors":true,"items":[]})", 2, false).ok());
  CHECK_FALSE(ParseBulkAnswer("{}", 2, false).ok());
}

}  // namespace agent::elasticsearch
