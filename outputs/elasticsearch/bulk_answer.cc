#include "outputs/elasticsearch/bulk_answer.h"

#include <utility>

#include <simdjson.h>

namespace agent::elasticsearch {
namespace {

constexpr std::size_t kMaxReasonBytes = 512;

Error NotAnAnswer(std::string what) {
  return Error{ErrorCode::kInvalid, "the answer to _bulk " + std::move(what)};
}

std::string Reason(simdjson::dom::element error) {
  std::string_view text;
  // Versions before 5 and some imitations send a text.
  if (error.get_string().get(text) == simdjson::SUCCESS)
    return std::string(text.substr(0, kMaxReasonBytes));
  std::string reason;
  if (error["type"].get_string().get(text) == simdjson::SUCCESS) reason = text;
  if (error["reason"].get_string().get(text) == simdjson::SUCCESS) {
    if (!reason.empty()) reason += ": ";
    reason += text.substr(0, kMaxReasonBytes);
  }
  if (error["caused_by"]["reason"].get_string().get(text) == simdjson::SUCCESS) {
    reason += " (" + std::string(text.substr(0, kMaxReasonBytes)) + ")";
  }
  return reason;
}

std::string_view TypeOf(simdjson::dom::element error) {
  std::string_view type;
  if (error["type"].get_string().get(type) != simdjson::SUCCESS) return {};
  return type;
}

// `item`: {"create": {"status": 201}}, whatever the key is.
bool ReadItem(simdjson::dom::element element, BulkItem& item) {
  simdjson::dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS || object.size() == 0) return false;
  const simdjson::dom::element inner = (*object.begin()).value;
  int64_t status = 0;
  if (inner["status"].get_int64().get(status) != simdjson::SUCCESS) return false;
  if (status < 100 || status > 599) return false;
  item.status = static_cast<uint16_t>(status);
  simdjson::dom::element error;
  const bool has_error = inner["error"].get(error) == simdjson::SUCCESS && !error.is_null();
  item.verdict = JudgeItem(item.status, has_error ? TypeOf(error) : std::string_view());
  if (has_error) item.reason = Reason(error);
  return true;
}

}  // namespace

ItemVerdict JudgeItem(uint16_t status, std::string_view error_type) {
  const bool blocked = error_type == "cluster_block_exception";
  switch (status) {
    case 200:
    case 201:
      return ItemVerdict::kStored;
    case 409:
      return ItemVerdict::kDuplicate;
    case 403:
      return blocked ? ItemVerdict::kHold : ItemVerdict::kRefused;
    case 429:
      return blocked ? ItemVerdict::kHold : ItemVerdict::kRetry;
    case 404:
      return ItemVerdict::kHold;
    default:
      return status >= 500 ? ItemVerdict::kRetry : ItemVerdict::kRefused;
  }
}

Result<std::vector<BulkItem>> ParseBulkAnswer(std::string_view body, std::size_t documents,
                                              bool require_items) {
  if (body.empty()) return NotAnAnswer("is empty");
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) {
    return NotAnAnswer("is not JSON");
  }
  simdjson::dom::array items;
  bool errors = true;
  const bool all_well = root["errors"].get_bool().get(errors) == simdjson::SUCCESS && !errors;
  if (!require_items && all_well &&
      (root["items"].get_array().get(items) != simdjson::SUCCESS || items.size() == 0)) {
    return std::vector<BulkItem>(documents);
  }
  if (root["items"].get_array().get(items) != simdjson::SUCCESS) {
    return NotAnAnswer("has no items");
  }
  std::vector<BulkItem> result;
  result.reserve(documents);
  for (const simdjson::dom::element element : items) {
    if (result.size() == documents) return NotAnAnswer("has more items than there are documents");
    if (!ReadItem(element, result.emplace_back())) {
      return NotAnAnswer("has an item without a status");
    }
  }
  if (result.size() < documents) {
    return NotAnAnswer("has " + std::to_string(result.size()) + " items for " +
                       std::to_string(documents) + " documents");
  }
  return result;
}

}  // namespace agent::elasticsearch
