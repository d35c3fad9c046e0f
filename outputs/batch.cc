#include "outputs/batch.h"

#include <utility>

#include "base/check.h"

namespace agent {
namespace {

struct PinBytes {
  uint64_t settled = 0;
  uint64_t dropped = 0;
};

bool IsRefused(const std::vector<bool>& refused, std::size_t entry) {
  return !refused.empty() && refused[entry];
}

}  // namespace

void Batch::Settle(const std::vector<bool>& refused) {
  CHECK(refused.empty() || refused.size() == origins.size());
  std::vector<PinBytes> bytes(pins.size());
  for (std::size_t entry = 0; entry < origins.size(); ++entry) {
    const EntryOrigin& origin = origins[entry];
    if (origin.pin == EntryOrigin::kNoPin) continue;
    PinBytes& of_pin = bytes[origin.pin];
    (IsRefused(refused, entry) ? of_pin.dropped : of_pin.settled) += origin.source_bytes;
  }
  for (const BatchHold& hold : holds) {
    hold.held->Settle(output, /*delivered=*/!IsRefused(refused, hold.entry));
  }
  holds.clear();  // Before the pins: whoever is told about a pin then sees both gone.
  for (std::size_t i = 0; i < pins.size(); ++i) {
    if (pins[i].pin == SourcePin::kNameOnly) continue;
    pins[i].progress->Settle(output, pins[i].pin, bytes[i].settled, bytes[i].dropped);
  }
  pins.clear();
  if (keeper != nullptr) std::exchange(keeper, nullptr)->OnSettled(*this, refused);
  origins.clear();
  body = Bytes();
  memory.Reset();
}

void Batch::Abandon() {
  for (const BatchHold& hold : holds)
    hold.held->Abandon();
  holds.clear();
  if (keeper != nullptr) std::exchange(keeper, nullptr)->OnAbandoned(*this);
  pins.clear();  // What they pin stays pinned: that is what keeps the position back.
  origins.clear();
  body = Bytes();
  memory.Reset();
}

}  // namespace agent
