#include "outputs/elasticsearch/bulk_body.h"

#include <cstring>
#include <utility>

#include <simdjson.h>

namespace agent::elasticsearch {

Result<BulkBody> BulkBody::Parse(const Bytes& body, std::size_t raw_size, bool compressed) {
  BulkBody result;
  const std::string_view bytes(body.data.get(), body.size);
  if (compressed) {
    auto raw = Inflate(bytes, raw_size);
    if (!raw) return std::move(raw).error();
    result.raw_ = std::make_unique<std::string>(std::move(*raw));
  } else {
    result.raw_ = std::make_unique<std::string>(bytes);
  }
  const std::string& text = *result.raw_;
  for (std::size_t at = 0; at < text.size();) {
    Item item;
    item.action = static_cast<uint32_t>(at);
    const std::size_t action_end = text.find('\n', at);
    const std::size_t end =
        action_end == std::string::npos ? action_end : text.find('\n', action_end + 1);
    if (end == std::string::npos) return Error{ErrorCode::kInvalid, "no pairs of lines"};
    item.document = static_cast<uint32_t>(action_end + 1);
    item.end = static_cast<uint32_t>(end + 1);
    result.items_.push_back(item);
    at = end + 1;
  }
  return result;
}

BulkBody::Document BulkBody::At(std::size_t entry) const {
  const Item& item = items_[entry];
  const std::string_view text = *raw_;
  return {text.substr(item.action, item.document - item.action),
          text.substr(item.document, item.end - item.document - 1)};
}

std::size_t BulkBody::RawSize(std::span<const uint32_t> entries) const {
  std::size_t size = 0;
  for (const uint32_t entry : entries)
    size += items_[entry].end - items_[entry].action;
  return size;
}

Bytes BulkBody::Encode(std::span<const uint32_t> entries, Deflater* deflater) const {
  const std::string_view text = *raw_;
  const auto lines = [&](uint32_t entry) {
    return text.substr(items_[entry].action, items_[entry].end - items_[entry].action);
  };
  if (deflater != nullptr) {
    for (const uint32_t entry : entries)
      deflater->Add(lines(entry));
    return deflater->Finish();
  }
  const std::size_t size = RawSize(entries);
  Bytes bytes{std::make_unique_for_overwrite<char[]>(size), size};
  char* to = bytes.data.get();
  for (const uint32_t entry : entries) {
    std::memcpy(to, lines(entry).data(), lines(entry).size());
    to += lines(entry).size();
  }
  return bytes;
}

std::string ActionValue(std::string_view action, std::string_view key) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(action.data(), action.size()).get_object().get(object) != simdjson::SUCCESS)
    return {};
  for (const auto& [name, inner] : object) {
    std::string_view value;
    if (inner[key].get_string().get(value) == simdjson::SUCCESS) return std::string(value);
  }
  return {};
}

}  // namespace agent::elasticsearch
